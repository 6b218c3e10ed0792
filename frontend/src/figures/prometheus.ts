/** One line of a Prometheus exposition. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPED: Record<string, string> = { "\\n": "\n", '\\"': '"', "\\\\": "\\" };
const WORDS: Record<string, number> = {
  "+Inf": Number.POSITIVE_INFINITY,
  "-Inf": Number.NEGATIVE_INFINITY,
};

/** The samples of an exposition text; comments, and lines that are none, are left out. */
export function parsePrometheus(text: string): Sample[] {
  return text.split("\n").flatMap((line) => {
    const [, name, labels, value] = LINE.exec(line.trim()) ?? [];
    if (name === undefined || value === undefined) return [];
    return [{ name, labels: parseLabels(labels ?? ""), value: WORDS[value] ?? Number(value) }];
  });
}

function parseLabels(text: string): Record<string, string> {
  const pairs = [...text.matchAll(LABEL)].map(([, name = "", value = ""]) => [
    name,
    value.replace(/\\[n"\\]/g, (written) => ESCAPED[written] ?? written),
  ]);
  return Object.fromEntries(pairs);
}

/** The samples of a name that carry these labels. */
export function samplesOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Sample[] {
  const wanted = Object.entries(labels);
  return samples.filter(
    (each) => each.name === name && wanted.every(([key, value]) => each.labels[key] === value),
  );
}

/** The sum of such samples; null where there is none, or one of them is not known. */
export function sumOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | null {
  const found = samplesOf(samples, name, labels);
  const sum = found.reduce((total, each) => total + each.value, 0);
  return found.length === 0 || Number.isNaN(sum) ? null : sum;
}

/**
 * The upper edge of the bucket that `share` of all observations lie within, `Infinity` for the
 * last one; null where nothing was observed.
 */
export function quantileEdge(
  samples: readonly Sample[],
  histogram: string,
  share: number,
  labels: Readonly<Record<string, string>> = {},
): number | null {
  const buckets = samplesOf(samples, `${histogram}_bucket`, labels)
    .map(({ labels: { le = "" }, value }) => ({ edge: WORDS[le] ?? Number(le), count: value }))
    .sort((one, other) => one.edge - other.edge);
  const all = buckets.at(-1)?.count ?? 0;
  if (all === 0) return null;
  return buckets.find(({ count }) => count >= share * all)?.edge ?? null;
}
