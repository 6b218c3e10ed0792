import { useMutation } from "@tanstack/react-query";
import { addressOf } from "./address";
import { fetchBody } from "./client";
import type { ImportReport } from "./types";

// Twenty thousand rows go in by batches, with pauses for other writers.
const PATIENCE_MS = 5 * 60_000;

/** Where the browser fetches all customers as a file. */
export function exportAddress(): string {
  return addressOf("/customers/export.csv");
}

interface Import {
  readonly file: File;
  /** Only tell what would happen. */
  readonly isDry: boolean;
}

/** Makes and changes customers from a file, or tells what that would do. */
export function useImport() {
  return useMutation({
    mutationFn: ({ file, isDry }: Import) =>
      fetchBody<ImportReport>(`/customers/import?dry_run=${isDry}`, {
        method: "POST",
        // Systems without a spreadsheet program do not know what a .csv is.
        headers: { "Content-Type": "text/csv" },
        body: file,
        patienceMs: PATIENCE_MS,
      }),
  });
}
