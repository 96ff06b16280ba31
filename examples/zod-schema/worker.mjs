// The environment of a worker. The transform is zod's own; the declaration says what stands before it.
import * as z from 'zod'

export default z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']),
  DATABASE_URL: z.string().url(),
  JWT_SECRET: z.string().min(32),
  API_KEY: z.string().min(20),
  ENCRYPTION_KEY: z.string().length(64),
  PORT: z.string().default('3000').transform(Number),
})
