// The environment of a Next.js application, split as T3 does it: what a browser gets begins with NEXT_PUBLIC_, and
// envsec refuses a secret under such a name.
import * as z from 'zod'

export const server = z.object({
  DATABASE_URL: z.url(),
  JWT_SECRET: z.string().min(32),
  STRIPE_SECRET_KEY: z.string().startsWith('sk_'),
})

export const client = z.object({
  NEXT_PUBLIC_API_URL: z.url(),
  NEXT_PUBLIC_STRIPE_KEY: z.string().startsWith('pk_'),
})

export default server.extend(client.shape)
