import { notifyManager, useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { changeCustomer } from "@/api/customers";
import { keys } from "@/api/keys";
import type { Customer } from "@/api/types";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Field } from "@/ui/Field";
import { useToast } from "@/ui/Toaster";
import { STATUSES } from "../statuses";
import styles from "./CustomerForm.module.css";
import { ExtraFields } from "./ExtraFields";
import { changeOf, type Edits, unlike, valuesOf } from "./edits";

/**
 * What an agent may change of a customer. Only what was changed is sent; what was not follows the
 * server, whoever changes it there.
 */
export function CustomerForm({ customer }: { customer: Customer }) {
  const { t } = useText();
  const toast = useToast();
  const client = useQueryClient();
  const known = valuesOf(customer);
  const [edits, setEdits] = useState<Edits>({});
  const edit = (fresh: Edits) => setEdits((before) => unlike({ ...before, ...fresh }, known));
  const { name, status, remark, extra } = { ...known, ...edits };
  const change = changeOf(edits, customer);
  const save = useMutation({
    mutationFn: (sent: Edits) => changeCustomer(customer.id, changeOf(sent, customer)),
    onSuccess: (saved, sent) => {
      client.setQueryData(keys.customer(customer.id), saved);
      // After the page has heard of it: what was there before is not shown once more.
      notifyManager.schedule(() => setEdits((now) => unlike(now, sent)));
      toast(t("saved"));
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(edits);
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <Field label={t("name")}>
        <input
          dir="auto"
          required
          maxLength={120}
          value={name}
          onChange={(e) => edit({ name: e.target.value })}
        />
      </Field>
      <Field label={t("status")}>
        <input
          list="statuses"
          required
          maxLength={40}
          value={status}
          onChange={(e) => edit({ status: e.target.value })}
        />
      </Field>
      <datalist id="statuses">
        {STATUSES.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <Field label={t("remark")} error={save.isError ? explain(save.error, t) : undefined}>
        <textarea
          dir="auto"
          rows={3}
          maxLength={20_000}
          value={remark}
          onChange={(e) => edit({ remark: e.target.value })}
        />
      </Field>
      <ExtraFields fields={extra} onChange={(fields) => edit({ extra: fields })} />
      <Button
        look="main"
        type="submit"
        disabled={save.isPending || Object.keys(change).length === 0}
      >
        {t("save")}
      </Button>
    </form>
  );
}
