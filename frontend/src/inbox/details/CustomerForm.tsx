import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { changeCustomer } from "@/api/customers";
import { keys } from "@/api/keys";
import type { Customer } from "@/api/types";
import { useText } from "@/text";
import { Button } from "@/ui/Button";
import { Field } from "@/ui/Field";
import { useToast } from "@/ui/Toaster";
import { STATUSES } from "../statuses";
import styles from "./CustomerForm.module.css";
import { ExtraFields } from "./ExtraFields";
import { type ExtraField, fieldsOf, objectOf } from "./extraFields";

/** What an agent may change of a customer. Only what was changed is sent. */
export function CustomerForm({ customer }: { customer: Customer }) {
  const { t } = useText();
  const toast = useToast();
  const client = useQueryClient();
  const [name, setName] = useState(customer.name);
  const [status, setStatus] = useState(customer.status);
  const [remark, setRemark] = useState(customer.remark ?? "");
  const [extra, setExtra] = useState<readonly ExtraField[]>(() => fieldsOf(customer.extra_fields));
  const change = {
    ...(name !== customer.name ? { name } : {}),
    ...(status !== customer.status ? { status } : {}),
    ...(remark !== (customer.remark ?? "") ? { remark: remark || null } : {}),
    ...(isSame(objectOf(extra), customer.extra_fields) ? {} : { extra_fields: objectOf(extra) }),
  };
  const save = useMutation({
    mutationFn: () => changeCustomer(customer.id, change),
    onSuccess: (saved) => {
      client.setQueryData(keys.customer(customer.id), saved);
      toast(t("saved"));
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <Field label={t("name")}>
        <input
          dir="auto"
          required
          maxLength={120}
          value={name}
          onChange={(e) => setName(e.target.value)}
        />
      </Field>
      <Field label={t("status")}>
        <input
          list="statuses"
          required
          maxLength={40}
          value={status}
          onChange={(e) => setStatus(e.target.value)}
        />
      </Field>
      <datalist id="statuses">
        {STATUSES.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <Field label={t("remark")} error={save.error?.message}>
        <textarea
          dir="auto"
          rows={3}
          maxLength={20_000}
          value={remark}
          onChange={(e) => setRemark(e.target.value)}
        />
      </Field>
      <ExtraFields fields={extra} onChange={setExtra} />
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

function isSame(one: object, other: object): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
