// How fields and words are called: by a page, and by the service.

export type Fields = Record<string, unknown>;

export interface Vocabulary {
  /** The page's names of fields and of parameters, and ours: `{ dueDate: "due_date" }`. Null: the page's alone, not sent. */
  names?: Record<string, string | null> | undefined;
  /** By our field or parameter, the page's words and ours: `{ priority: { urgent: "high" }, due_date: { "": null } }`. */
  words?: Record<string, Record<string, string | null>> | undefined;
  /** The page writes all names in camelCase. */
  camelCase?: boolean | undefined;
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camel = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

export function translator({ names = {}, words = {}, camelCase = false }: Vocabulary) {
  const ourName = (name: string): string | null => {
    if (Object.hasOwn(names, name)) return names[name] ?? null;
    return camelCase ? snake(name) : name;
  };
  // One of ours may have several names there: the page then finds all of them.
  function theirNames(name: string): string[] {
    const found = Object.keys(names).filter((theirs) => names[theirs] === name);
    return found.length > 0 ? found : [camelCase ? camel(name) : name];
  }
  const ourWord = (field: string, word: unknown): unknown =>
    typeof word === "string" && Object.hasOwn(words[field] ?? {}, word) ? words[field]?.[word] : word;
  const theirWord = (field: string, word: unknown): unknown =>
    Object.entries(words[field] ?? {}).find(([, ours]) => ours === word)?.[0] ?? word;

  /** What a page sends, as the service understands it. */
  function toService(value: unknown): unknown {
    if (!isFields(value)) return value;
    const named = Object.entries(value).map(([name, each]) => [ourName(name), each] as const);
    return Object.fromEntries(named.filter(([name]) => name !== null).map(([name, each]) => [name, ourWord(name!, each)]));
  }
  /** What the service answers, as the page understands it. */
  function toPage(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(toPage);
    if (!isFields(value)) return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, each]) => theirNames(name).map((theirs) => [theirs, theirWord(name, each)])),
    );
  }
  /** The parameters of a page, with those that are a list of words, such as `status=open,closed`. */
  function query(given: URLSearchParams): URLSearchParams {
    const found = new URLSearchParams();
    for (const [name, value] of given) {
      const ours = ourName(name);
      if (ours === null) continue;
      const isSort = ours === "sort";
      found.append(ours, isSort ? sortOf(value) : value.split(",").map((word) => ourWord(ours, word)).join());
    }
    return found;
  }
  // A sort is one of our words, or the name of a field.
  const sortOf = (value: string): string =>
    value.replace(/^(-?)(.*)$/, (_, minus: string, name: string) => `${minus}${words["sort"]?.[name] ?? ourName(name) ?? name}`);
  return { toService, toPage, query };
}

export const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
