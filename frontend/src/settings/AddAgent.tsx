import type { FormEvent } from "react";
import { useAddAgent } from "@/api/agents";
import type { NewAgent } from "@/api/types";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Field } from "@/ui/Field";
import styles from "./Settings.module.css";

/** A new account; its password comes with the server's answer. */
export function AddAgent({ onAdded }: { onAdded: (agent: NewAgent) => void }) {
  const { t } = useText();
  const add = useAddAgent();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const told = new FormData(form);
    const agent = {
      name: String(told.get("name")),
      login: String(told.get("login")).trim(),
      role: told.get("role") === "owner" ? ("owner" as const) : ("agent" as const),
    };
    add.mutate(agent, {
      onSuccess: (added) => {
        form.reset();
        onAdded(added);
      },
    });
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <h3>{t("addAgent")}</h3>
      <div className={styles.fields}>
        <Field label={t("name")}>
          <input name="name" maxLength={120} autoComplete="off" required />
        </Field>
        <Field label={t("login")}>
          <input
            name="login"
            maxLength={254}
            autoComplete="off"
            autoCapitalize="none"
            placeholder="mia@shop.example"
            required
          />
        </Field>
        <Field label={t("role")}>
          <select name="role" defaultValue="agent">
            <option value="agent">{t("role_agent")}</option>
            <option value="owner">{t("role_owner")}</option>
          </select>
        </Field>
      </div>
      <div role="alert">
        {add.isError && <p className={styles.problem}>{explain(add.error, t)}</p>}
      </div>
      <div>
        <Button type="submit" disabled={add.isPending}>
          {t("addAgent")}
        </Button>
      </div>
    </form>
  );
}
