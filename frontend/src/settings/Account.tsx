import { useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { MIN_PASSWORD, useChangePassword } from "@/api/account";
import { ApiError } from "@/api/client";
import { type Session, useSignOut } from "@/api/session";
import { Section } from "@/shell/Sheet";
import { signInProblem } from "@/shell/SignIn";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Field } from "@/ui/Field";
import { PasswordInput } from "@/ui/PasswordInput";
import { useToast } from "@/ui/Toaster";
import styles from "./Settings.module.css";

/** Who is signed in, and how they go. */
export function Account({ session }: { session: Session }) {
  const { t } = useText();
  if (session.kind !== "agent") {
    return (
      <Section title={t("account")} hint={t("nobodySignsIn")}>
        {null}
      </Section>
    );
  }
  const { name, role } = session.me;
  return (
    <Section title={t("account")}>
      <p>
        {t("sameWords", { name })} · {t(`role_${role}`)}
      </p>
      <SignOut />
      <h3>{t("changePassword")}</h3>
      <PasswordForm />
    </Section>
  );
}

function SignOut() {
  const { t } = useText();
  const toast = useToast();
  const signOut = useSignOut();
  const leaving = useMutation({
    mutationFn: (isEverywhere: boolean) => signOut(isEverywhere),
    onError: (error) => toast(t("didNotWork", { reason: explain(error, t) })),
  });
  return (
    <div className={styles.buttons}>
      <Button disabled={leaving.isPending} onClick={() => leaving.mutate(false)}>
        {t("signOut")}
      </Button>
      <Button disabled={leaving.isPending} onClick={() => leaving.mutate(true)}>
        {t("signOutEverywhere")}
      </Button>
    </div>
  );
}

function PasswordForm() {
  const wording = useText();
  const { t } = wording;
  const toast = useToast();
  const change = useChangePassword();
  const { error } = change;
  const isOldWrong = error instanceof ApiError && error.status === 401;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const told = new FormData(form);
    change.mutate(
      { old_password: String(told.get("old")), new_password: String(told.get("new")) },
      {
        onSuccess: () => {
          form.reset();
          toast(t("passwordChanged"));
        },
      },
    );
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <Field label={t("oldPassword")} error={isOldWrong ? t("oldPasswordWrong") : undefined}>
        <PasswordInput name="old" autoComplete="current-password" required />
      </Field>
      <Field label={t("newPassword")} hint={t("passwordHint", { count: MIN_PASSWORD })}>
        <PasswordInput
          name="new"
          autoComplete="new-password"
          minLength={MIN_PASSWORD}
          maxLength={1024}
          required
        />
      </Field>
      <div role="alert">
        {error && !isOldWrong && <p className={styles.problem}>{signInProblem(error, wording)}</p>}
      </div>
      <div>
        <Button type="submit" disabled={change.isPending}>
          {t("changePassword")}
        </Button>
      </div>
    </form>
  );
}
