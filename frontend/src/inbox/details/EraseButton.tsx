import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { eraseCustomer } from "@/api/customers";
import type { Customer } from "@/api/types";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { useToast } from "@/ui/Toaster";
import { useSelection } from "../useSelection";
import styles from "./EraseButton.module.css";

/** Erases a customer on request, after a question. */
export function EraseButton({ customer }: { customer: Customer }) {
  const { t } = useText();
  const toast = useToast();
  const { select } = useSelection();
  const [isAsking, setAsking] = useState(false);
  const erase = useMutation({
    mutationFn: () => eraseCustomer(customer.id),
    onSuccess: () => select(null),
    onError: (error) => toast(explain(error, t)),
  });
  return (
    <>
      <Button look="danger" onClick={() => setAsking(true)}>
        {t("erase")}
      </Button>
      {isAsking && (
        <Dialog title={t("erase")} onClose={() => setAsking(false)}>
          <p>{t("eraseAsk", { name: customer.name })}</p>
          <div className={styles.buttons}>
            <Button onClick={() => setAsking(false)}>{t("cancel")}</Button>
            <Button look="danger" disabled={erase.isPending} onClick={() => erase.mutate()}>
              {t("eraseYes")}
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
