/** Where to go after signing in: a path of this very page, else the inbox. */
export function nextPath(wanted: unknown, origin: string): string {
  if (typeof wanted !== "string" || !wanted.startsWith("/") || !URL.canParse(wanted, origin)) {
    return "/";
  }
  const { origin: target, pathname, search, hash } = new URL(wanted, origin);
  // The browser reads `/\host`, and `/.//host` once it is written out, as another server.
  if (target !== origin || pathname.startsWith("//")) return "/";
  if (/^\/login(\/|$)/.test(pathname)) return "/";
  return pathname + search + hash;
}
