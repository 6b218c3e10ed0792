/** A piece of a text: plain, or a web address. */
export interface Piece {
  readonly text: string;
  readonly href: string | null;
}

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gi;
const TRAILING = /[.,;:!?…。，、）)\]}»”’]+$/;

/** Splits a text at its web addresses; anything but http and https stays text. */
export function splitLinks(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const found = trim(match[0]);
    if (!isAddress(found)) continue;
    if (match.index > from) pieces.push({ text: text.slice(from, match.index), href: null });
    pieces.push({ text: found, href: found });
    from = match.index + found.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from), href: null });
  return pieces;
}

function trim(found: string): string {
  const cut = found.replace(TRAILING, "");
  // A closing bracket that was opened inside belongs to the address: …/wiki/Go_(game)
  return found[cut.length] === ")" && cut.includes("(") ? `${cut})` : cut;
}

function isAddress(text: string): boolean {
  return URL.canParse(text) && new URL(text).hostname !== "";
}
