import { useAddToken } from "@/api/tokens";
import type { NewToken } from "@/api/types";
import { useText } from "@/text";
import { Field } from "@/ui/Field";
import { AddForm } from "./AddForm";

/** A new token; its text comes with the server's answer. */
export function AddToken({ onAdded }: { onAdded: (token: NewToken) => void }) {
  const { t } = useText();
  const add = useAddToken();
  const onAdd = (told: FormData, empty: () => void) => {
    const scope = told.get("scope") === "send" ? ("send" as const) : ("read" as const);
    const onSuccess = (added: NewToken) => {
      empty();
      onAdded(added);
    };
    add.mutate({ name: String(told.get("name")), scope }, { onSuccess });
  };
  return (
    <AddForm title={t("addToken")} isAdding={add.isPending} error={add.error} onAdd={onAdd}>
      <Field label={t("name")}>
        <input name="name" maxLength={120} autoComplete="off" required />
      </Field>
      <Field label={t("scope")}>
        <select name="scope" defaultValue="read">
          <option value="read">{t("scope_read")}</option>
          <option value="send">{t("scope_send")}</option>
        </select>
      </Field>
    </AddForm>
  );
}
