// A Better Auth server as it comes, in memory: users sign up with a password, and jwt() makes the tokens. It prints its
// address and ends with its standard input. As an argument it takes, in JSON, what jwt() is given; unless told otherwise, nothing.
import { randomBytes, webcrypto } from "node:crypto";
import { createServer } from "node:http";

globalThis.crypto ??= webcrypto; // Node.js 18 keeps it to itself
const { betterAuth } = await import("better-auth");
const { memoryAdapter } = await import("better-auth/adapters/memory");
const { toNodeHandler } = await import("better-auth/node");
const { bearer, jwt } = await import("better-auth/plugins");

const tables = { user: [], session: [], account: [], verification: [], jwks: [] };

// What whoever operates the server does to its table of keys: Better Auth itself makes a new pair when the next token
// finds none that has not expired, and goes on publishing those that have.
const operations = {
  "/keys/expire": () => tables.jwks.forEach((key) => (key.expiresAt = new Date(Date.now() - 1))),
  "/keys/withdraw": () => tables.jwks.splice(0, tables.jwks.length - 1),
};

const server = createServer((request, response) => {
  const operation = operations[request.url];
  if (!operation) return answer(request, response);
  operation();
  response.end();
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const address = `http://127.0.0.1:${server.address().port}`;
const given = process.argv[2];
const answer = toNodeHandler(
  betterAuth({
    baseURL: address,
    secret: randomBytes(32).toString("base64url"),
    database: memoryAdapter(tables),
    emailAndPassword: { enabled: true },
    plugins: [given ? jwt(JSON.parse(given)) : jwt(), bearer()],
  }),
);
console.log(address);
process.stdin.resume().on("end", () => process.exit());
