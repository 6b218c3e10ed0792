const LONGEST = 4096;

/** A template's text with `{{1}}`, `{{2}}` … filled in; places without a text stay visible. */
export function filledTemplate(body: string, params: readonly string[]): string {
  const text = body.replace(
    /\{\{(\d+)\}\}/g,
    (place, number) => params[Number(number) - 1] || place,
  );
  return [...text].slice(0, LONGEST).join("");
}
