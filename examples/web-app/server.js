// An ordinary application: it reads its settings from the environment and knows nothing of envsec.
import { createHash } from "node:crypto";
import express from "express";

const SETTINGS = ["GREETING", "DATABASE_URL", "JWT_SECRET"];

// Proves that a value arrived byte for byte without showing it. The hash is for this demonstration:
// a real application publishes nothing that is made from its secrets.
function arrival(name) {
  const value = process.env[name];
  if (!value) return { arrived: false };
  return {
    arrived: true,
    bytes: Buffer.byteLength(value),
    sha256: createHash("sha256").update(value).digest("hex").slice(0, 12),
  };
}

const app = express();

app.get("/", (request, response) => {
  response.json(Object.fromEntries(SETTINGS.map((name) => [name, arrival(name)])));
});

app.get("/health", (request, response) => {
  const missing = SETTINGS.filter((name) => !arrival(name).arrived);
  response.status(missing.length ? 503 : 200).json({ ok: missing.length === 0, missing });
});

const server = app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1", (error) => {
  if (error) throw error;
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

// `on`, not `once`: a terminal's Ctrl-C comes twice, from the terminal and handed on by npm.
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => server.close());
}
