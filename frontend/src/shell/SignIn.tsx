import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { ApiError } from "@/api/client";
import { signIn } from "@/api/session";
import { longDuration } from "@/durations";
import { useText, type Wording } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { PasswordInput } from "@/ui/PasswordInput";
import styles from "./SignIn.module.css";

/** What to say of a sign-in that was refused. */
export function signInProblem(error: unknown, { t, locale }: Wording): string {
  if (!(error instanceof ApiError)) return explain(error, t);
  if (error.status === 401) return t("wrongPassword");
  if (error.status !== 429) return explain(error, t);
  const seconds = error.retryAfter;
  if (seconds === null) return t("tooManyTries");
  return t("tooManyTriesUntil", { time: longDuration(seconds, locale) });
}

/** Login and password; `onDone` when the session has begun. */
export function SignInForm({ onDone }: { onDone?: () => void }) {
  const wording = useText();
  const { t } = wording;
  const client = useQueryClient();
  const attempt = useMutation({
    mutationFn: (form: FormData) =>
      signIn(client, String(form.get("login")).trim(), String(form.get("password"))),
    onSuccess: () => onDone?.(),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    attempt.mutate(new FormData(event.currentTarget));
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <Field label={t("login")}>
        <input name="login" autoComplete="username" autoCapitalize="none" required />
      </Field>
      <Field label={t("password")}>
        <PasswordInput name="password" autoComplete="current-password" required />
      </Field>
      <div role="alert">
        {attempt.isError && (
          <p className={styles.problem}>{signInProblem(attempt.error, wording)}</p>
        )}
      </div>
      <Button look="main" type="submit" disabled={attempt.isPending}>
        {attempt.isPending ? t("signingIn") : t("signIn")}
      </Button>
    </form>
  );
}

/** Asked for over the page when the session ended while it was open. */
export function SignInDialog() {
  const { t } = useText();
  return (
    <Dialog title={t("signIn")}>
      <p className={styles.why}>{t("sessionOver")}</p>
      <SignInForm />
    </Dialog>
  );
}
