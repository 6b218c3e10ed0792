import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { ImportReport } from "@/api/types";
import { CustomerFiles } from "./CustomerFiles";

const FILE = new File(["phone,name\n60123456789,Mia\n"], "customers.csv");

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function report(told: Partial<ImportReport>): Response {
  const nothing = { created: 0, updated: 0, unchanged: 0, errors: [], dry_run: true };
  return Response.json({ ...nothing, ...told });
}

interface Sent {
  readonly path: string;
  readonly type: string | null;
  readonly body: string;
}

/** The page before a server that gives these answers, with the file chosen. */
async function choose(...answers: Response[]): Promise<Sent[]> {
  const sent: Sent[] = [];
  vi.stubGlobal("fetch", async (path: string, init: { headers: HeadersInit; body: Blob }) => {
    const type = new Headers(init.headers).get("Content-Type");
    sent.push({ path: path.replace(/^.*(?=\/customers)/, ""), type, body: await init.body.text() });
    return answers.shift();
  });
  render(
    <QueryClientProvider client={new QueryClient()}>
      <CustomerFiles />
    </QueryClientProvider>,
  );
  await userEvent.upload(screen.getByLabelText("CSV file"), FILE);
  return sent;
}

const importButton = () => screen.queryByRole("button", { name: /^Import/ });

describe("importing customers", () => {
  it("only looks at first, and imports when told to", async () => {
    const done = { created: 2, updated: 1, unchanged: 4, dry_run: false };
    const sent = await choose(report({ ...done, dry_run: true }), report(done));
    await screen.findByText(/2 new, 1 changed, 4 as before/);
    expect(sent).toHaveLength(1);
    await userEvent.click(await screen.findByRole("button", { name: "Import 3 customers" }));
    await screen.findByText("Imported:");
    expect(sent.map(({ path }) => path)).toEqual([
      "/customers/import?dry_run=true",
      "/customers/import?dry_run=false",
    ]);
    expect(new Set(sent.map(({ type }) => type))).toEqual(new Set(["text/csv"]));
    expect(sent[1]?.body).toBe(await FILE.text());
    expect(importButton()).toBeNull();
  });

  it("tells what is wrong with each row", async () => {
    const errors = [
      { line: 3, field: "phone", detail: "Not a phone." },
      { line: 7, field: null, detail: "Too many cells." },
    ];
    await choose(report({ created: 1, errors }));
    const table = await screen.findByRole("table");
    const rows = within(table).getAllByRole("row").slice(1);
    expect(rows.map((row) => row.textContent)).toEqual([
      "3phoneNot a phone.",
      "7whole rowToo many cells.",
    ]);
    expect(screen.getByText(/^2 problems/)).toBeTruthy();
    expect(screen.getByRole("button", { name: "Import one customer" })).toBeTruthy();
  });

  it("shows the first hundred of very many problems, and how many more there are", async () => {
    const errors = Array.from({ length: 250 }, (_, line) => ({
      line,
      field: null,
      detail: "Bad.",
    }));
    await choose(report({ errors }));
    await screen.findByText("And 150 more.");
    expect(screen.getAllByRole("row")).toHaveLength(101);
  });

  it("offers nothing where nothing would change", async () => {
    await choose(report({ unchanged: 9 }));
    await screen.findByText(/9 as before/);
    expect(importButton()).toBeNull();
  });

  it("says why a file is refused", async () => {
    await choose(Response.json({ detail: "The file is not UTF-8." }, { status: 422 }));
    expect(await screen.findByText(/The file is not UTF-8/)).toBeTruthy();
    expect(importButton()).toBeNull();
  });
});
