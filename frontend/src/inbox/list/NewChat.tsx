import { useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { beginChat } from "@/api/customers";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import styles from "./NewChat.module.css";

interface Props {
  readonly onClose: () => void;
  readonly onOpen: (customerId: number) => void;
}

/** Begins a chat by phone; one that is known opens its chat. */
export function NewChat({ onClose, onOpen }: Props) {
  const { t } = useText();
  const begin = useMutation({ mutationFn: beginChat, onSuccess: onOpen });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const phone = String(form.get("phone")).trim();
    begin.mutate({ phone, name: String(form.get("name")).trim() || phone });
  };
  return (
    <Dialog title={t("newChat")} onClose={onClose}>
      <form className={styles.form} onSubmit={submit}>
        <Field
          label={t("phone")}
          hint={t("phoneHint")}
          error={begin.isError ? explain(begin.error, t) : undefined}
        >
          <input name="phone" type="tel" autoComplete="off" required maxLength={40} />
        </Field>
        <Field label={t("name")}>
          <input name="name" dir="auto" autoComplete="off" maxLength={120} />
        </Field>
        <div className={styles.buttons}>
          <Button onClick={onClose}>{t("cancel")}</Button>
          <Button look="main" type="submit" disabled={begin.isPending}>
            {t("create")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
