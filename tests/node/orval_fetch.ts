// How the client that Orval makes sends a request: with the address and the token of the command line.

const [address, token] = process.argv.slice(2);

export async function orvalFetch<T>(path: string, options: RequestInit): Promise<T> {
  const headers = new Headers(options.headers);
  headers.set("Authorization", `Bearer ${token}`);
  const answer = await fetch(`${address}${path}`, { ...options, headers });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, data: text ? JSON.parse(text) : undefined } as T;
}
