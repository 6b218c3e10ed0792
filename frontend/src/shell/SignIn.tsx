import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { ApiError } from "@/api/client";
import { signIn } from "@/api/session";
import { useText } from "@/text";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import styles from "./SignIn.module.css";

/** Login and password; `onDone` when the session has begun. */
export function SignInForm({ onDone }: { onDone?: () => void }) {
  const { t } = useText();
  const client = useQueryClient();
  const [problem, setProblem] = useState<string | undefined>();
  const [isBusy, setBusy] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    try {
      await signIn(client, String(form.get("login")), String(form.get("password")));
      onDone?.();
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <Field label={t("login")}>
        <input name="login" autoComplete="username" required />
      </Field>
      <Field label={t("password")} error={problem}>
        <input name="password" type="password" autoComplete="current-password" required />
      </Field>
      <Button look="main" type="submit" disabled={isBusy}>
        {t("signIn")}
      </Button>
    </form>
  );
}

/** Asked for over the page when the session ended while it was open. */
export function SignInDialog() {
  const { t } = useText();
  return (
    <Dialog title={t("signIn")} onClose={() => {}}>
      <p className={styles.why}>{t("sessionOver")}</p>
      <SignInForm />
    </Dialog>
  );
}
