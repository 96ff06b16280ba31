// Prints what TypeBox and valibot emit for the same environment: two lines of JSON.
import { toJsonSchema } from '@valibot/to-json-schema'
import { Type } from 'typebox'
import * as v from 'valibot'

const typebox = Type.Object({
  DATABASE_URL: Type.String({ format: 'uri' }),
  API_KEY: Type.String({ minLength: 8 }),
  PORT: Type.Integer({ default: 3000, minimum: 1, maximum: 65535 }),
  MODE: Type.Union([Type.Literal('a'), Type.Literal('b')]),
  DEBUG: Type.Optional(Type.Boolean()),
  ADMIN: Type.Optional(Type.String({ format: 'email' })),
  REPLICAS: Type.Optional(Type.Array(Type.String(), { maxItems: 2 })),
})

const valibot = v.object({
  DATABASE_URL: v.pipe(v.string(), v.url()),
  API_KEY: v.pipe(v.string(), v.minLength(8)),
  PORT: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535)), 3000),
  MODE: v.picklist(['a', 'b']),
  DEBUG: v.optional(v.boolean()),
  ADMIN: v.optional(v.pipe(v.string(), v.email())),
  REPLICAS: v.optional(v.pipe(v.array(v.string()), v.maxLength(2))),
})

console.log(JSON.stringify(typebox))
console.log(JSON.stringify(toJsonSchema(valibot)))
