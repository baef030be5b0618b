import { account, accessTokens, labels, lists } from "./others.js";
import { pause, sender, type Tokens } from "./send.js";
import { defaultStorage, givenTokens, sessionTokens, signIn } from "./session.js";
import { follower } from "./stream.js";
import { changing, files, reading, requester } from "./tasks.js";
import type { ClientOptions, TaskApi, Token } from "./types.js";

export type * from "./contract.js";
export { TaskApiError } from "./error.js";
export type * from "./types.js";

const NONE: Tokens = { get: async () => null, renew: async () => null };

/**
 * Makes a client of the service at this address. It uses the token that you give, or asks your function for one; without
 * either, `auth` signs in at the service itself. Make a new client when another user signs in, since it keeps a token that
 * it was given.
 */
export function taskApi(address: string, token?: Token | null, options: ClientOptions = {}): TaskApi {
  const { fetch = (...request) => globalThis.fetch(...request), wait = pause, storage } = options;
  const open = sender(address, NONE, fetch, wait);
  const session = token === undefined || token === null ? sessionTokens(storage ?? defaultStorage(), open) : null;
  const send = sender(address, session ?? givenTokens(token ?? ""), fetch, wait);
  const request = requester(send);
  return {
    ...reading(request),
    ...changing(request),
    ...files(send, request),
    ...follower(send, wait),
    lists: lists(request),
    labels: labels(request),
    tokens: accessTokens(request),
    account: account(send, request),
    auth: signIn(send, session),
    request,
  };
}
