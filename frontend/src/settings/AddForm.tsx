import type { FormEvent, ReactNode } from "react";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import styles from "./Settings.module.css";

interface Props {
  /** Of the form, and of its button. */
  readonly title: string;
  readonly isAdding: boolean;
  /** Why the last one was not added. */
  readonly error: Error | null;
  /** Gets what was filled in, and how to empty the form once it is added. */
  readonly onAdd: (told: FormData, empty: () => void) => void;
  readonly children: ReactNode;
}

/** A form that adds one more to a list. */
export function AddForm({ title, isAdding, error, onAdd, children }: Props) {
  const { t } = useText();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    onAdd(new FormData(form), () => form.reset());
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <h3>{title}</h3>
      <div className={styles.fields}>{children}</div>
      <div role="alert">{error && <p className={styles.problem}>{explain(error, t)}</p>}</div>
      <div>
        <Button type="submit" disabled={isAdding}>
          {title}
        </Button>
      </div>
    </form>
  );
}
