// The calls about lists, labels, tokens for scripts, and the account.
import type { List } from "./contract.js";
import type { Send } from "./send.js";
import { once, queryOf, type Request, unlessGone } from "./tasks.js";
import type { AccessTokens, Accounts, Labels, Lists } from "./types.js";

export function lists(request: Request): Lists {
  const at = (id: string): string => `/api/lists/${encodeURIComponent(id)}`;
  return {
    list: (query, options) => request<List[]>(`/api/lists${queryOf(query)}`, options),
    get: (id, options) => request(at(id), options),
    create: (fields, options) => request("/api/lists", { ...once(options), body: fields }),
    update: (id, changes, options) => request(at(id), { ...options, method: "PATCH", body: changes }),
    remove: (id, { tasks, permanent, ...options } = {}) =>
      request<void>(at(id) + queryOf({ tasks, permanent }), { ...options, method: "DELETE" }).catch(unlessGone),
    restore: (id, options) => request(`${at(id)}/restore`, once(options)),
    move: (id, place = {}, options) => request(`${at(id)}/move`, { ...once(options), body: place }),
  };
}

export function labels(request: Request): Labels {
  const at = (name: string): string => `/api/labels/${encodeURIComponent(name)}`;
  return {
    list: (options) => request("/api/labels", options),
    put: (name, fields = {}, options) => request(at(name), { ...options, method: "PUT", body: fields }),
    update: (name, changes, options) => request(at(name), { ...once(options), method: "PATCH", body: changes }),
    remove: (name, options) => request<void>(at(name), { ...options, method: "DELETE" }).catch(unlessGone),
  };
}

export function accessTokens(request: Request): AccessTokens {
  const path = "/api/me/tokens";
  return {
    list: (options) => request(path, options),
    create: (fields, options) => request(path, { ...options, method: "POST", body: fields }),
    remove: (id, options) =>
      request<void>(`${path}/${encodeURIComponent(id)}`, { ...options, method: "DELETE" }).catch(unlessGone),
  };
}

export function account(send: Send, request: Request): Accounts {
  const path = "/api/me";
  return {
    get: (options) => request(path, options),
    update: (changes, options) => request(path, { ...options, method: "PATCH", body: changes }),
    export: (options) => send(`${path}/export`, { ...options, isLong: true }, (answer) => answer.blob()),
    erase: (confirm, options) => request(path + queryOf({ confirm }), { ...options, method: "DELETE", isLong: true }),
  };
}
