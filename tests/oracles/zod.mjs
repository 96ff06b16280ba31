// Schemas as people write them for their environment, generated environments, and what zod says of each.
//
// One JSON line a schema on stdout: {schema, input, output, traits, cases}. `input` and `output` are what zod emits
// (`output` is null where zod cannot), `traits` names what each variable's schema is made of, and a case is
// {environment, wrong, whole}: the names that zod complains about, and whether it complains about all of them together.
import * as z from 'zod'
import api from './api.mjs'
import web from './web.mjs'
import worker from './worker.mjs'

// The same numbers in every run (mulberry32), so that a failure comes back.
let state = 20_240_229
const random = () => {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
}
const below = (count) => Math.floor(random() * count)
const pick = (list) => list[below(list.length)]

// Values, good and bad.
const NASTY = ['', ' ', '0x10', ' 1', '1e3', 'TRUE', 'null', 'undefined', '😀', '😀'.repeat(20), 'é'.repeat(32), 'x'.repeat(60_000), 'a\nb', '\t', `'"\`$\\`, '%ZZ', '{}', '[]', '\u00a0x', '٣']
const NUMBERS = ['3000', '1', '10', '80', '0', '65535', '65536', '-1', '15', '25', '0.3', '1.5', '0.30000000000000001', '65535.000000000000001', '0x10', '0b11', '0o17', ' 1', '1 ', '\t5\n', '1e3', '1E3', '3.0', '007', '+1', '.5', '5.', '1_000', '1,5', 'Infinity', '-Infinity', 'NaN', '-0', 'abc', '12abc', '٣', '9007199254740991', '9007199254740993', '1e400', '1e-7', 'true', 'null', '0'.repeat(400) + '1', '1' + '0'.repeat(30)]
const BOOLEANS = ['true', 'false', '1', '0', 'yes', 'no', 'on', 'off', 'TRUE', 'False', 'y', 'n', 'enabled', 'disabled', 'maybe', ' true', '2', 'null']
const URLS = ['postgres://user:password@localhost:5432/app', 'https://example.com', 'https://example.com/a?b=c#d', 'redis://:secret@cache:6379/0', 'http://[::1]:8080', 'postgres://a:1,b:2/db', 'mongodb://a,b,c/db', 'postgres://u:p^|{}@h/d', 'postgres://u:%ZZ@h/d', 'postgres://u:p/w@h:5432/d', 'mailto:a@example.com', 'file:///x', 'HTTPS://A', 'https://é.example', 'https://a:99999', 'https://a b', 'https://user:pa ss@h', 'https://u:p#w@h/', ' https://a ', 'https://a\n', 'https://a\nb', 'https://', 'http:host', 'http:/host', 'https:///a', 'x:', 'example.com', '//example.com', 'localhost:5432', 'not a url', 'https://%zz/', 'http://256.1.1.1', '1http://a', 'jdbc:postgresql://h/d', 'https://a/\u0001']
const EMAILS = ['a@example.com', 'first.last+tag@sub.example.org', "o'brien@example.com", 'a@localhost', 'a@b@example.com', '@example.com', 'a@', 'a..b@example.com', '.a@example.com', 'a@-x.com', 'a@x-.com', 'a b@example.com', 'é@example.com', '"a b"@example.com', 'a@example.c', 'a!b@example.com', 'a@[127.0.0.1]', 'a'.repeat(65) + '@example.com', 'a@' + 'b.'.repeat(130) + 'com', 'A@EXAMPLE.COM', 'a@example.com\n']
const UUIDS = ['550e8400-e29b-41d4-a716-446655440000', '550E8400-E29B-41D4-A716-446655440000', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '018f3a5c-7b1e-7cc0-98c4-dc0c0c07398f', '550e8400-e29b-91d4-a716-446655440000', '550e8400-e29b-41d4-c716-446655440000', '550e8400e29b41d4a716446655440000', '{550e8400-e29b-41d4-a716-446655440000}', '550e8400-e29b-41d4-a716-44665544000g']
const IPV4 = ['127.0.0.1', '10.0.0.255', '0.0.0.0', '256.0.0.1', '01.2.3.4', '1.2.3', '1.2.3.4.5', ' 1.2.3.4', '1.2.3.4\n', '0x7f.0.0.1', '::1']
const IPV6 = ['::1', '::', '2001:db8::1', 'FE80::1', '1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7::', '::ffff:1.2.3.4', '1::2::3', '1:2:3:4:5:6:7:8:9', 'fe80::1%eth0', '[::1]', '12345::', ':1', '127.0.0.1', '::1\n']
const CIDRS = ['10.0.0.0/8', '0.0.0.0/0', '10.0.0.1/32', '10.0.0.0/33', '10.0.0.0', '10.0.0.0/08', '/8', '2001:db8::/32', '::/0', '::1/128', '::1/129', '::ffff:1.2.3.4/96', '10.0.0.0/8 ']
const HOSTNAMES = ['localhost', 'example.com', 'example.com.', 'a-b.example', '-a.example', 'a-.example', 'exa_mple', 'a..b', '.', 'xn--bcher-kva.example', '1.2.3.4', 'a'.repeat(63), 'a'.repeat(64), 'é.example', 'EXAMPLE', 'host:80']
const DATES = ['2024-02-29', '2023-02-29', '2030-12-31', '2030-13-01', '2030-1-1', '0000-01-01', '1900-02-29', '2000-02-29', '2030-04-31', '12030-01-01', '2030-12-31T00:00:00Z', '２０３０-01-01']
const TIMES = ['2030-12-31T23:59:59Z', '2030-12-31T23:59:59.123456Z', '2030-12-31T23:59:59+02:00', '2030-12-31T23:59:60Z', '2030-12-31t23:59:59z', '2030-12-31 23:59:59Z', '2030-12-31T23:59Z', '2030-12-31T24:00:00Z', '2030-12-31T23:59:59', '2030-12-31T23:59:59+0200', '2030-12-31T23:59:59-24:00', '2030-12-31T23:59:59.Z', '2023-02-29T00:00:00Z']
const DURATIONS = ['P1D', 'PT1H', 'P1Y2M3DT4H5M6S', 'P1Y2D', 'PT1H30S', 'PT0.5S', 'P2W', 'P', 'PT', 'P1', '1h', 'P-1D', '-P1D', 'P1W2D', 'PT1S1H', 'P1DT']
const BASE64 = ['aGVsbG8=', 'aGVsbG8', 'aGVsbG8h', 'YQ==', 'YQ=', 'YR==', 'a-_b', 'aGVs bG8=', 'aGVsbG8=\n', '====', 'AAAA'.repeat(500)]
const HEX = ['deadbeef', 'DEADBEEF', 'abc', '0xdeadbeef', 'deadbeeg', 'de ad', '0'.repeat(64), '0'.repeat(63), 'f'.repeat(65)]
const encoded = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const token = (header, claims = { sub: '1' }, signature = 'c2lnbmF0dXJl') => `${encoded(header)}.${encoded(claims)}.${signature}`
const TOKENS = [token({ alg: 'HS256', typ: 'JWT' }), token({ alg: 'HS256' }), token({ alg: 'none' }, { sub: '1' }, ''), token({ typ: 'JWT' }), token({ alg: 'HS256', typ: 'other' }), token({ alg: '' }), token('[]'), token({ alg: 'HS256', kid: '>>>???' }), token({ alg: 'HS256' }) + '.x', 'a.b.c', 'a.b', token({ alg: 'HS256' }, { sub: '1' }, '!!'), token({ alg: 'HS256' }).replace('.', '.!')]
const SECRETS = ['s'.repeat(32), 's'.repeat(31), 's'.repeat(33), 's'.repeat(64), 's'.repeat(63), 's'.repeat(20), 's'.repeat(19), 'é'.repeat(32), '😀'.repeat(16), '😀'.repeat(32), 'e\u0301'.repeat(16), `p^|{}%ZZ"'$\`\\`.repeat(3)]
const EMOJI = [15, 16, 31, 32, 33, 63, 64, 65].flatMap((count) => ['😀'.repeat(count), 'x'.repeat(count)])
const LONG = ['x', 'x'.repeat(10_000), 'x'.repeat(60_000), 'x'.repeat(60_000) + '\n']
const ENVIRONMENTS = ['development', 'test', 'production', 'prod', 'Production', ' test', 'test ', 'developmen']
const STRIPE = ['sk_live_' + 'x'.repeat(24), 'sk_test_' + 'x'.repeat(24), 'pk_live_' + 'x'.repeat(24), 'pk_test_' + 'x'.repeat(24), 'sk_', 'sk', 'SK_live', ' sk_live', 'xsk_', 'whsec_' + 'x'.repeat(24), 'whsec', 'sk_a\nb', '\nsk_a', 'pk_\n']
const WORDS = ['a', 'b', 'x', 'ab', 'abc', 'abcde', 'abcdef', 'ABC', 'a.b', 'axb', 'v1.a', 'v-1.5.b', 'v1.c', 'a\n', '\na', 'x\n', 'a\u2028b', 'foo-bar', 'a1', '  a  ', 'aXb', '😀a', 'auto', 'debug', 'info', 'warn', 'error']
const LISTS = ['["a"]', '["a","b"]', '[]', '[1]', '["a",1]', '[null]', 'a,b', '{}', '{"a":"b"}', '{"a":1}', '{"host":"h","port":1}', '{"host":"h","port":"1"}', '{"host":"h"}', ' ["a"] ', '["a",]', "['a']", '"a"', '[', '["a"]["b"]', '{"a":"b","a":1}']

// What a text becomes before its schema sees it.
const json = (text) => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
const fromJson = (schema) => z.preprocess(json, schema)
const fromNumber = (schema) => z.preprocess((text) => (text === undefined ? undefined : Number(text)), schema)

// NAME: [schema, the values of each variable].
const SCHEMAS = {
  api: [api, { NODE_ENV: ENVIRONMENTS, PORT: NUMBERS, DATABASE_URL: URLS, REDIS_URL: URLS, JWT_SECRET: SECRETS, JWT_EXPIRES_IN: WORDS, AWS_ACCESS_KEY_ID: WORDS, AWS_SECRET_ACCESS_KEY: SECRETS, AWS_REGION: WORDS, STRIPE_SECRET_KEY: STRIPE, STRIPE_WEBHOOK_SECRET: STRIPE }],
  worker: [worker, { NODE_ENV: ENVIRONMENTS, DATABASE_URL: URLS, JWT_SECRET: SECRETS, API_KEY: SECRETS, ENCRYPTION_KEY: SECRETS, PORT: NUMBERS }],
  web: [web, { DATABASE_URL: URLS, JWT_SECRET: SECRETS, STRIPE_SECRET_KEY: STRIPE, NEXT_PUBLIC_API_URL: URLS, NEXT_PUBLIC_STRIPE_KEY: STRIPE }],
  enum: [z.object({ LEVEL: z.enum(['debug', 'info', 'warn', 'error']), MODE: z.enum(['a', 'b']).default('a'), DIGIT: z.enum(['0', '1', '10']).optional() }), { LEVEL: WORDS, MODE: WORDS, DIGIT: NUMBERS }],
  literal: [z.object({ A: z.literal('a'), ONE: z.literal(['a', 'b', 'x']).optional(), FLAG: z.literal('true').optional() }), { A: WORDS, ONE: WORDS, FLAG: BOOLEANS }],
  'number literal': [z.object({ VERSION: fromNumber(z.literal(3000)), PORT: fromNumber(z.literal([80, 10])), LEVEL: fromNumber(z.enum({ LOW: 0, HIGH: 1 })) }), { VERSION: NUMBERS, PORT: NUMBERS, LEVEL: NUMBERS }],
  number: [z.object({ A: z.coerce.number(), B: z.coerce.number().optional(), C: z.coerce.number().default(0.5) }), { A: NUMBERS, B: NUMBERS, C: NUMBERS }],
  'number range': [z.object({ MIN: z.coerce.number().min(1).max(65535), GT: z.coerce.number().gt(0).lt(80), POSITIVE: z.coerce.number().positive(), RATIO: z.coerce.number().min(0).max(1).default(1) }), { MIN: NUMBERS, GT: NUMBERS, POSITIVE: NUMBERS, RATIO: NUMBERS }],
  integer: [z.object({ PORT: z.coerce.number().int().min(1).max(65535), ANY: z.coerce.number().int(), COUNT: z.coerce.number().int().nonnegative().optional() }), { PORT: NUMBERS, ANY: NUMBERS, COUNT: NUMBERS }],
  'multiple of': [z.object({ FIVE: z.coerce.number().multipleOf(5), TENTH: z.coerce.number().multipleOf(0.1), STEP: z.coerce.number().int().step(15).optional() }), { FIVE: NUMBERS, TENTH: NUMBERS, STEP: NUMBERS }],
  'coerced boolean': [z.object({ DEBUG: z.coerce.boolean(), TRACE: z.coerce.boolean().default(false) }), { DEBUG: BOOLEANS, TRACE: BOOLEANS }],
  stringbool: [z.object({ DEBUG: z.stringbool(), TRACE: z.stringbool().optional() }), { DEBUG: BOOLEANS, TRACE: BOOLEANS }],
  'boolean enum': [z.object({ DEBUG: z.enum(['true', 'false']), TRACE: z.enum(['true', 'false', '1', '0']).default('false') }), { DEBUG: BOOLEANS, TRACE: BOOLEANS }],
  url: [z.object({ DATABASE_URL: z.url(), SITE: z.string().url().max(30), OPTIONAL: z.url().optional() }), { DATABASE_URL: URLS, SITE: URLS, OPTIONAL: URLS }],
  'web url': [z.object({ SITE: z.httpUrl(), SECURE: z.url({ protocol: /^https$/ }) }), { SITE: URLS, SECURE: URLS }],
  email: [z.object({ A: z.email(), B: z.string().email().optional(), HTML: z.email({ pattern: z.regexes.html5Email }) }), { A: EMAILS, B: EMAILS, HTML: EMAILS }],
  uuid: [z.object({ ANY: z.uuid(), FOUR: z.uuidv4(), GUID: z.guid() }), { ANY: UUIDS, FOUR: UUIDS, GUID: UUIDS }],
  ipv4: [z.object({ HOST: z.ipv4(), OTHER: z.ipv4().optional() }), { HOST: IPV4, OTHER: IPV4 }],
  ipv6: [z.object({ SIX: z.ipv6(), OTHER_SIX: z.ipv6().optional() }), { SIX: IPV6, OTHER_SIX: IPV6 }],
  cidr: [z.object({ FOUR: z.cidrv4(), SIX: z.cidrv6() }), { FOUR: CIDRS, SIX: CIDRS }],
  hostname: [z.object({ HOST: z.hostname(), OTHER: z.hostname().default('localhost') }), { HOST: HOSTNAMES, OTHER: HOSTNAMES }],
  regex: [z.object({ WORD: z.string().regex(/^[a-z]+$/), BOTH: z.string().regex(/^a/).regex(/b$/), ANYWHERE: z.string().regex(/\d/).optional(), AHEAD: z.string().regex(/^(?!a$)[^\n]*$/) }), { WORD: WORDS, BOTH: WORDS, ANYWHERE: WORDS, AHEAD: WORDS }],
  'regex with flags': [z.object({ WORD: z.string().regex(/^[a-z]+$/i) }), { WORD: WORDS }],
  'starts and ends': [z.object({ START: z.string().startsWith('sk_'), END: z.string().endsWith('b'), DOT: z.string().startsWith('a.') }), { START: STRIPE, END: WORDS, DOT: WORDS }],
  includes: [z.object({ DOT: z.string().includes('a.b'), DASH: z.string().includes('-').optional() }), { DOT: WORDS, DASH: WORDS }],
  length: [z.object({ EXACT: z.string().length(64), SHORT: z.string().max(20), BETWEEN: z.string().min(20).max(32), FILLED: z.string().nonempty() }), { EXACT: SECRETS, SHORT: SECRETS, BETWEEN: SECRETS, FILLED: SECRETS }],
  'may be empty': [z.object({ A: z.string().min(0), B: z.literal(['', 'a']) }), { A: WORDS, B: WORDS }],
  optional: [z.object({ A: z.string().optional(), B: z.string().min(2).optional(), C: z.url().optional() }), { A: WORDS, B: WORDS, C: URLS }],
  default: [z.object({ A: z.string().default('a'), B: z.string().min(2).default('ab'), C: z.coerce.number().int().default(1) }), { A: WORDS, B: WORDS, C: NUMBERS }],
  prefault: [z.object({ A: z.string().min(2).prefault('ab') }), { A: WORDS }],
  catch: [z.object({ LEVEL: z.enum(['debug', 'info']).catch('info') }), { LEVEL: WORDS }],
  nullable: [z.object({ A: z.string().min(2).nullable(), B: z.url().nullable() }), { A: WORDS, B: URLS }],
  nullish: [z.object({ A: z.string().min(2).nullish(), B: z.enum(['a', 'b']).nullish() }), { A: WORDS, B: WORDS }],
  union: [z.object({ WORKERS: z.union([z.literal('auto'), z.coerce.number().int().min(1)]), HOST: z.union([z.ipv4(), z.hostname()]), BOTH: z.intersection(z.string().min(3), z.string().max(5)) }), { WORKERS: [...NUMBERS, 'auto', 'auto'], HOST: HOSTNAMES, BOTH: WORDS }],
  'discriminated union': [z.discriminatedUnion('MODE', [z.object({ MODE: z.literal('a'), X: z.string().min(2) }), z.object({ MODE: z.literal(['b', 'x']), Y: z.url(), X: z.coerce.number().optional() })]), { MODE: ['a', 'b', 'a', 'b', ...WORDS], X: WORDS, Y: URLS }],
  'union of all': [z.union([z.object({ TOKEN: z.string().min(20) }), z.object({ USER: z.string(), PASSWORD: z.string().min(20) })]), { TOKEN: SECRETS, USER: WORDS, PASSWORD: SECRETS }],
  intersection: [z.intersection(z.object({ A: z.string().min(2) }), z.object({ B: z.url() })), { A: WORDS, B: URLS }],
  partial: [z.object({ A: z.string().min(2), B: z.url() }).partial(), { A: WORDS, B: URLS }],
  strict: [z.strictObject({ A: z.string().min(2) }), { A: WORDS, UNDECLARED: WORDS }],
  loose: [z.looseObject({ A: z.string().min(2) }), { A: WORDS, UNDECLARED: WORDS }],
  record: [z.record(z.enum(['A', 'B']), z.string().min(2)), { A: WORDS, B: WORDS }],
  reference: [z.object({ A: z.coerce.number().int().min(1).meta({ id: 'Port' }), B: z.url().meta({ id: 'Url', description: 'where it is' }).optional() }), { A: NUMBERS, B: URLS }],
  'date and time': [z.object({ DAY: z.iso.date(), AT: z.iso.datetime(), OFFSET: z.iso.datetime({ offset: true }).optional(), LOCAL: z.iso.datetime({ local: true }).optional(), CLOCK: z.iso.time().optional() }), { DAY: DATES, AT: TIMES, OFFSET: TIMES, LOCAL: TIMES, CLOCK: ['10:00', '10:00:00', '24:00', '1:00'] }],
  duration: [z.object({ A: z.iso.duration(), B: z.iso.duration().default('P1D') }), { A: DURATIONS, B: DURATIONS }],
  base64: [z.object({ A: z.base64(), URL: z.base64url() }), { A: BASE64, URL: BASE64 }],
  hex: [z.object({ A: z.hex(), KEY: z.hex().length(64), HASH: z.hash('sha256').optional() }), { A: HEX, KEY: HEX, HASH: HEX }],
  jwt: [z.object({ A: z.jwt(), B: z.jwt().optional() }), { A: TOKENS, B: TOKENS }],
  'other formats': [z.object({ ID: z.ulid().optional(), NANO: z.nanoid().optional(), PHONE: z.e164().optional(), MAC: z.mac().optional(), VERSION: z.templateLiteral(['v', z.number(), '.', z.enum(['a', 'b'])]) }), { ID: ['01ARZ3NDEKTSV4RRFFQ69G5FAV', '81ARZ3NDEKTSV4RRFFQ69G5FAV', '01ARZ3NDEKTSV4RRFFQ69G5FA'], NANO: ['x'.repeat(21), 'x'.repeat(22), 'x'.repeat(20) + '!'], PHONE: ['+14155552671', '14155552671', '+04155552671'], MAC: ['00:1A:2B:3C:4D:5E', '00-1A-2B-3C-4D-5E', '00:1a:2B:3C:4D:5E'], VERSION: WORDS }],
  json: [z.object({ LIST: fromJson(z.array(z.string()).min(1)), MAP: fromJson(z.record(z.string(), z.string())), SERVER: fromJson(z.object({ host: z.string(), port: z.number().int() })), PAIR: fromJson(z.tuple([z.string(), z.number()])) }), { LIST: LISTS, MAP: LISTS, SERVER: LISTS, PAIR: LISTS }],
  'length of emoji': [z.object({ A: z.string().min(32), B: z.string().max(32), C: z.string().length(64) }), { A: EMOJI, B: EMOJI, C: EMOJI }],
  'long text': [z.object({ AHEAD: z.string().regex(/^(?!a$)[^\n]*$/), PLAIN: z.string().regex(/^[^\n]*$/) }), { AHEAD: LONG, PLAIN: LONG }],
  trimmed: [z.object({ A: z.string().trim().min(4) }), { A: WORDS }],
  'lower case': [z.object({ LOWER: z.string().lowercase(), SMALL: z.string().toLowerCase().regex(/^[a-z]+$/) }), { LOWER: WORDS, SMALL: WORDS }],
  refined: [z.object({ A: z.string().refine((text) => text.startsWith('a'), 'begins with a') }), { A: WORDS }],
  'public names': [z.object({ VITE_NOTE: z.string(), PUBLIC_KEY: z.string().startsWith('pk_').optional() }), { VITE_NOTE: [...STRIPE, ...TOKENS], PUBLIC_KEY: STRIPE }],
}

const EDITS = [' ', '\n', '\t', '0', '1', '-', '.', '/', ':', '@', 'A', 'z', 'é', '😀', '%', '"', '_', '=']
const mutated = (text) => {
  const letters = [...text]
  letters.splice(below(letters.length + 1), below(2), ...(below(3) ? [pick(EDITS)] : []))
  return letters.join('')
}

// What a variable may be otherwise: missing, nasty, a good value with an edit, any other.
const disturbed = (good, values) => {
  const kind = below(5)
  if (kind === 0) return undefined
  return kind === 1 ? pick(NASTY) : kind < 4 ? mutated(pick(good)) : pick(values)
}

const shuffled = (list) => list.map((item) => [random(), item]).sort(([a], [b]) => a - b).map(([, item]) => item)

const complaints = (schema, environment) => schema.safeParse(environment).error?.issues ?? []

// Good environments in which one variable has one of its values in turn, then such with up to two variables disturbed.
const environments = (schema, pools) => {
  const isGood = (name) => (text) => !complaints(schema, { [name]: text }).some((issue) => issue.path[0] === name)
  const good = Object.fromEntries(Object.entries(pools).map(([name, values]) => [name, values.filter(isGood(name))]))
  const names = Object.keys(pools)
  const base = () => Object.fromEntries(names.map((name) => [name, pick(good[name])]))
  const changes = (values) => names.flatMap((name) => values(name).map((text) => ({ [name]: text })))
  const turns = [...changes(() => [undefined, '']), ...shuffled(changes((name) => [...pools[name], ...NASTY.slice(1)]))]
  const inTurn = turns.slice(0, 70).map((change) => ({ ...base(), ...change }))
  const atRandom = Array.from({ length: 30 + Math.max(0, 70 - turns.length) }, () => {
    const chosen = shuffled(names).slice(0, below(3))
    return { ...base(), ...Object.fromEntries(chosen.map((name) => [name, disturbed(good[name], pools[name])])) }
  })
  const isThere = ([, text]) => text !== undefined
  return [...inTurn, ...atRandom].map((environment) => Object.fromEntries(Object.entries(environment).filter(isThere)))
}

// What a schema is made of: `coerce.number`, `optional`, `url`, `min_length`.
const traits = (schema) => {
  const def = schema._zod.def
  const checks = (def.checks ?? []).map((check) => check._zod.def)
  const flags = [def, ...checks].some((of) => of.pattern?.flags) ? ['flags'] : []
  const inner = [def.innerType, def.in, def.out, def.left, def.right, ...(def.options ?? [])].filter(Boolean)
  const own = [def.coerce ? `coerce.${def.type}` : def.type, def.format, ...checks.map((of) => of.format ?? of.check)]
  return [...new Set([...own, ...flags, ...inner.flatMap(traits)].filter(Boolean))]
}
const traitsOf = (schema, name) => {
  const def = schema._zod.def
  const inner = [def.left, def.right, ...(def.options ?? [])].filter(Boolean)
  if (def.shape) return def.shape[name] ? traits(def.shape[name]) : []
  return inner.length ? [...new Set(inner.flatMap((of) => traitsOf(of, name)))] : def.valueType ? traits(def.valueType) : []
}

const emitted = (schema, io) => {
  try {
    return z.toJSONSchema(schema, { io })
  } catch (error) {
    if (io === 'input') throw error
    return null
  }
}

const judged = (schema, environment) => {
  const issues = complaints(schema, environment)
  const names = issues.flatMap((issue) => issue.path.slice(0, 1))
  return { environment, wrong: [...new Set(names)], whole: issues.some((issue) => issue.path.length === 0) }
}

for (const [name, [schema, pools]] of Object.entries(SCHEMAS)) {
  const cases = environments(schema, pools).map((environment) => judged(schema, environment))
  const made = Object.fromEntries(Object.keys(pools).map((of) => [of, traitsOf(schema, of)]))
  console.log(JSON.stringify({ schema: name, input: emitted(schema, 'input'), output: emitted(schema, 'output'), traits: made, cases }))
}
