import { useAddAgent } from "@/api/agents";
import type { NewAgent } from "@/api/types";
import { useText } from "@/text";
import { Field } from "@/ui/Field";
import { AddForm } from "./AddForm";

/** A new account; its password comes with the server's answer. */
export function AddAgent({ onAdded }: { onAdded: (agent: NewAgent) => void }) {
  const { t } = useText();
  const add = useAddAgent();
  const onAdd = (told: FormData, empty: () => void) => {
    const agent = {
      name: String(told.get("name")),
      login: String(told.get("login")).trim(),
      role: told.get("role") === "owner" ? ("owner" as const) : ("agent" as const),
    };
    const onSuccess = (added: NewAgent) => {
      empty();
      onAdded(added);
    };
    add.mutate(agent, { onSuccess });
  };
  return (
    <AddForm title={t("addAgent")} isAdding={add.isPending} error={add.error} onAdd={onAdd}>
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
    </AddForm>
  );
}
