import { useMutation } from "@tanstack/react-query";
import { fetchBody } from "./client";

export interface PasswordChange {
  readonly old_password: string;
  readonly new_password: string;
}

/** The shortest password that the server takes. */
export const MIN_PASSWORD = 10;

/** Changes one's own password; every other session of this agent ends. */
export function useChangePassword() {
  return useMutation({
    mutationFn: (body: PasswordChange) => fetchBody("/auth/password", { method: "POST", body }),
  });
}
