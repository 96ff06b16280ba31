// Prints the declaration of one of the schemas beside this file: node emit.mjs [api | worker | web]
import * as z from 'zod'

const name = process.argv[2] ?? 'api'
const { default: schema } = await import(`./${name}.mjs`)
console.log(JSON.stringify(z.toJSONSchema(schema, { io: 'input' }), null, 2))
