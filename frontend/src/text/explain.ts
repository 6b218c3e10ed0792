import { ApiError, OtherAgentError } from "@/api/client";
import type { GatewayStatus } from "@/api/types";
import type { Wording } from ".";

/** What to say of a failure: the server's own sentence, or ours where it gave none. */
export function explain(error: unknown, t: Wording["t"]): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 0) return t("serverAway");
  if (error instanceof OtherAgentError) return t("otherAgent");
  return error.detail ?? t("serverRefused", { status: error.status });
}

/** The gateway's advice, which it gives in English only. */
export function adviceOf(status: GatewayStatus, { language }: Wording): string | undefined {
  return language === "en" ? (status.advice ?? undefined) : undefined;
}
