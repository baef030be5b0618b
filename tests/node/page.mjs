// A page in which somebody signs up at Better Auth and calls the service, by code that is given as a module. Prints what
// came of it. Arguments: the module, the address of Better Auth, and how many seconds its tokens live.
import { webcrypto } from "node:crypto";
import { createAuthClient } from "better-auth/client";
import { jwtClient } from "better-auth/client/plugins";

globalThis.crypto ??= webcrypto; // Node.js 18 keeps it to itself
const MOST_CALLS = 200;
const [module, auth, seconds] = process.argv.slice(2);
const met = []; // the status of each answer of the service
const send = globalThis.fetch;
globalThis.fetch = async (address, options) => {
  const answer = await send(address, options);
  if (!String(address).startsWith(auth)) met.push(answer.status);
  return answer;
};

let session; // which a browser would keep in a cookie
const authClient = createAuthClient({
  baseURL: auth,
  plugins: [jwtClient()],
  fetchOptions: { auth: { type: "Bearer", token: () => session }, headers: { Origin: auth } },
});
const signedUp = await authClient.signUp.email({
  name: "Ann",
  email: `${crypto.randomUUID()}@example.com`,
  password: crypto.randomUUID(),
});
session = signedUp.data.token;

const { use } = await import(module);
const got = [];
let listed;
try {
  const { tasks, task } = await use(authClient);
  got.push([task.title]);
  await new Promise((resume) => setTimeout(resume, 1000 * seconds)); // until the token has expired
  while (!met.includes(429) && got.length < MOST_CALLS) {
    ({ tasks: listed } = await tasks.list());
    got.push(listed.map((one) => one.title));
  }
} catch (problem) {
  got.push(problem.status);
}
console.log(JSON.stringify({ user: signedUp.data.user.id, met, got, tasks: listed }));
