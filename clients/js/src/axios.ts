// Axios 1 over any fetch: axios.create({ adapter: axiosAdapter(dialect({ … })) }). Axios itself is not imported.

/* eslint-disable-next-line -- axios has its own types, and this package none of it */
type Axios = any;

export function axiosAdapter(fetch: typeof globalThis.fetch): (config: Axios) => Promise<Axios> {
  return async function adapter(config: Axios): Promise<Axios> {
    const { method = "get", headers, data, signal, responseType, timeout } = config;
    const own = new AbortController();
    const abort = (): void => own.abort(signal?.reason);
    const timer = timeout ? setTimeout(() => own.abort(), timeout) : undefined;
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort);
    let answer: Response;
    let body: unknown;
    try {
      const sent = Object.entries(headers?.toJSON?.() ?? headers ?? {}).filter(([, value]) => value !== null && value !== undefined);
      const init = { method: method.toUpperCase(), headers: sent as [string, string][], body: data ?? null, signal: own.signal };
      answer = await fetch(addressOf(config), init);
      body = responseType === "blob" ? await answer.blob() : responseType === "arraybuffer" ? await answer.arrayBuffer() : await answer.text();
    } catch (cause) {
      const code = signal?.aborted ? "ERR_CANCELED" : own.signal.aborted ? "ECONNABORTED" : "ERR_NETWORK";
      throw problem(signal?.aborted ? "canceled" : "Network Error", code, config, undefined, cause);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
    const { status, statusText } = answer;
    const response = { data: body, status, statusText, headers: Object.fromEntries(answer.headers), config, request: null };
    if (!config.validateStatus || config.validateStatus(status)) return response;
    const code = status < 500 ? "ERR_BAD_REQUEST" : "ERR_BAD_RESPONSE";
    throw problem(`Request failed with status code ${status}`, code, config, response);
  };
}

// What axios.isAxiosError looks for.
function problem(message: string, code: string, config: Axios, response?: Axios, cause?: unknown): Error {
  const name = code === "ERR_CANCELED" ? "CanceledError" : "AxiosError";
  const isCancel = code === "ERR_CANCELED" ? { __CANCEL__: true } : {};
  const status = response?.status;
  return Object.assign(new Error(message, { cause }), { name, code, config, response, status, isAxiosError: true, ...isCancel });
}

function addressOf({ baseURL = "", url = "", params }: Axios): string {
  const whole = /^[a-z][a-z\d+.-]*:|^\/\//i.test(url) || !baseURL ? url : `${baseURL.replace(/\/+$/, "")}/${url.replace(/^\/+/, "")}`;
  const given = params instanceof URLSearchParams ? [...params] : Object.entries(params ?? {});
  const query = new URLSearchParams(given.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => [name, String(value)]));
  const text = String(query);
  return text ? whole + (whole.includes("?") ? "&" : "?") + text : whole;
}
