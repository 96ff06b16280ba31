// Reads dotenv texts as npm dotenv does. One base64 text a line on stdin, one JSON array a line on stdout with the maps
// of its two parsers, the second being the `fast` option of version 18.
const path = require('node:path')
const { parse } = require(path.join(__dirname, '..', '.tools', 'node_modules', 'dotenv'))

// Every line has its end; an empty one is an empty text.
const lines = require('node:fs').readFileSync(0, 'utf8').split('\n').slice(0, -1)
const answer = (line) => {
  const text = Buffer.from(line, 'base64')
  return JSON.stringify([parse(text), parse(text, { fast: true })])
}
process.stdout.write(lines.map(answer).join('\n') + '\n')
