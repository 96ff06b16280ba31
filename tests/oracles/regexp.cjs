// Matches as RegExp does. A line of JSON { pattern, texts } on stdin gives a line { flags, matches } on stdout: flags is
// "u" where the pattern can be read with it, else "", and null where it cannot be read at all.
const read = (pattern) => {
  for (const flags of ['u', '']) {
    try {
      return { flags, expression: new RegExp(pattern, flags) }
    } catch {}
  }
  return { flags: null }
}

const answer = (line) => {
  const { pattern, texts } = JSON.parse(line)
  const { flags, expression } = read(pattern)
  return JSON.stringify({ flags, matches: flags === null ? [] : texts.map((text) => expression.test(text)) })
}

const lines = require('node:fs').readFileSync(0, 'utf8').split('\n').slice(0, -1)
process.stdout.write(lines.map((line) => answer(line) + '\n').join(''))
