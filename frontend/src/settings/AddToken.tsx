import type { FormEvent } from "react";
import { useAddToken } from "@/api/tokens";
import type { NewToken } from "@/api/types";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Field } from "@/ui/Field";
import styles from "./Settings.module.css";

/** A new token; its text comes with the server's answer. */
export function AddToken({ onAdded }: { onAdded: (token: NewToken) => void }) {
  const { t } = useText();
  const add = useAddToken();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const told = new FormData(form);
    const scope = told.get("scope") === "send" ? ("send" as const) : ("read" as const);
    add.mutate(
      { name: String(told.get("name")), scope },
      {
        onSuccess: (added) => {
          form.reset();
          onAdded(added);
        },
      },
    );
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <h3>{t("addToken")}</h3>
      <div className={styles.fields}>
        <Field label={t("name")}>
          <input name="name" maxLength={120} autoComplete="off" required />
        </Field>
        <Field label={t("scope")}>
          <select name="scope" defaultValue="read">
            <option value="read">{t("scope_read")}</option>
            <option value="send">{t("scope_send")}</option>
          </select>
        </Field>
      </div>
      <div role="alert">
        {add.isError && <p className={styles.problem}>{explain(add.error, t)}</p>}
      </div>
      <div>
        <Button type="submit" disabled={add.isPending}>
          {t("addToken")}
        </Button>
      </div>
    </form>
  );
}
