// How the client signs in: node client_sign_in.mjs NAME ADDRESS EMAIL PASSWORD prints what came of it, as JSON.
import { taskApi } from "./task-api.js";

const [name, address, email, password] = process.argv.slice(2);
const MINUTES = 60_000;
const clock = { now: Date.now, ahead: 0 };
Date.now = () => clock.now.call(Date) + clock.ahead;

const asked = []; // each request, as its method and its path
const way = {}; // what happens to requests: `before` sees each path, and `lost` loses those of one path
async function fetch(to, options) {
  const { pathname } = new URL(to);
  asked.push(`${options.method} ${pathname}`);
  if (way.lost === pathname) throw new TypeError("offline");
  await way.before?.(pathname);
  return globalThis.fetch(to, options);
}
const wait = () => Promise.resolve();

const kept = new Map(); // what all tabs of a browser share
const storage = {
  get: async (key) => kept.get(key), set: async (key, value) => void kept.set(key, value), remove: (key) => kept.delete(key),
};
const tab = (of = storage) => taskApi(address, null, { fetch, wait, storage: of });
const alone = () => taskApi(address, null, { wait });
const session = () => JSON.parse([...kept.values()][0] ?? "null");
const spoil = () => kept.forEach((text, key) => kept.set(key, JSON.stringify({ ...JSON.parse(text), access_token: "a.b.c" })));
const outcome = (call) => call.then(() => "done", ({ status, code }) => `${status} ${code}`);
const count = (path) => asked.filter((each) => each.endsWith(path)).length;
const REFRESH = "/api/auth/refresh";

const api = tab();
const user = await api.auth.register({ email, password, name: "Anna" });

const uses = {
  async life() {
    const task = await api.create({ title: "Buy milk" });
    const old = session().refresh_token;
    const seen = [await api.auth.user(), task.user_id === user.id, (await api.auth.settings()).sign_in];
    await api.auth.logout();
    const after = [await api.auth.user(), kept.size, await outcome(api.list())];
    const ended = await api.request(REFRESH, { method: "POST", body: { refresh_token: old } }).catch(({ code }) => code);
    await api.auth.login({ email, password });
    return { seen, after, ended, again: (await api.list()).tasks.length, id: user.id };
  },

  async early() {
    await api.list();
    clock.ahead = 13 * MINUTES;
    await api.list();
    const before = count(REFRESH);
    clock.ahead = 14.5 * MINUTES;
    await api.list();
    return [before, asked.slice(-2)];
  },

  async storm() {
    spoil();
    asked.length = 0;
    await Promise.all(Array.from({ length: 20 }, () => api.list()));
    await api.list();
    return [count(REFRESH), count("/api/tasks") > 20, session().user.id === user.id];
  },

  // Three tabs wake up at once, and the answers of two refreshes are lost.
  async tabs() {
    clock.ahead = 20 * MINUTES;
    let lost = 2;
    way.before = async (path) => {
      if (path !== REFRESH || lost === 0) return;
      lost -= 1;
      await globalThis.fetch(address + REFRESH, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ refresh_token: session().refresh_token }),
      });
      throw new TypeError("lost");
    };
    const got = await Promise.all([tab(), tab(), tab()].map((each) => outcome(each.list())));
    clock.ahead = 40 * MINUTES;
    return [...got, await outcome(tab().list()), session().user.id === user.id];
  },

  async signedOutMeanwhile() {
    spoil();
    way.before = (path) => path === REFRESH && tab().auth.logout();
    const came = await outcome(api.list());
    return [came, kept.size];
  },

  async somebodyElseMeanwhile() {
    spoil();
    const ben = alone();
    const other = await ben.auth.register({ email: `ben-${email}`, password });
    way.before = async (path) => {
      if (path !== REFRESH) return;
      way.before = null;
      await tab().auth.login({ email: `ben-${email}`, password });
    };
    const came = await outcome(api.create({ title: "Anna's" }));
    return [came, (await ben.list()).tasks.length, session().user.id === other.id];
  },

  async offline() {
    clock.ahead = 14.5 * MINUTES;
    way.lost = REFRESH;
    const soon = await outcome(api.list());
    clock.ahead = 16 * MINUTES;
    const later = await outcome(api.list());
    way.lost = null;
    return [soon, later, await outcome(api.list()), (await api.auth.user()).id === user.id];
  },

  async ended() {
    await alone().request("/api/auth/logout", { method: "POST", body: { refresh_token: session().refresh_token } });
    spoil();
    return [await outcome(api.list()), kept.size, await api.auth.user()];
  },

  // Another tab has signed in anew, so the refused token is not the last word.
  async adopted() {
    spoil();
    way.before = async (path) => {
      if (path !== REFRESH) return;
      way.before = null;
      await alone().request("/api/auth/logout", { method: "POST", body: { refresh_token: session().refresh_token } });
      await tab().auth.login({ email, password });
    };
    return [await outcome(api.list()), session().user.id === user.id];
  },

  async newPassword() {
    const other = alone();
    await other.auth.login({ email, password });
    const wrong = await outcome(api.auth.changePassword({ current: "wrong wrong wrong wrong", new: "nine red balloons go by" }));
    await api.auth.changePassword({ current: password, new: "nine red balloons go by" });
    return [wrong, await outcome(api.list()), (await api.auth.user()).id === user.id, await outcome(api.auth.login({ email, password }))];
  },

  async logoutOffline() {
    way.lost = "/api/auth/logout";
    return [await outcome(api.auth.logout()), kept.size];
  },

  async givenToken() {
    const { access_token: token } = session();
    const client = taskApi(address, token, { fetch });
    return [await outcome(client.list()), await client.auth.login({ email, password }).catch(({ message }) => message), await client.auth.user()];
  },

  // A server that answers requests of many users: one client for each, whose session is nowhere but in its memory.
  async inMemory() {
    const [one, two] = [alone(), alone()];
    await one.auth.login({ email, password });
    return [(await one.account.get()).id === user.id, await two.auth.user(), await outcome(two.list())];
  },
};

const got = await uses[name]();
console.log(JSON.stringify({ got, asked }));
