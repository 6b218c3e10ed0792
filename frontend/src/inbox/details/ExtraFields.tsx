import { useText } from "@/text";
import { Button } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import styles from "./CustomerForm.module.css";
import { type ExtraField, emptyField } from "./extraFields";

interface Props {
  readonly fields: readonly ExtraField[];
  readonly onChange: (fields: readonly ExtraField[]) => void;
}

/** The shop's own fields of a customer: a name and a text each. */
export function ExtraFields({ fields, onChange }: Props) {
  const { t } = useText();
  const edit = (id: string, change: Partial<ExtraField>) =>
    onChange(fields.map((field) => (field.id === id ? { ...field, ...change } : field)));
  return (
    <fieldset className={styles.fields}>
      <legend>{t("extraFields")}</legend>
      {fields.map((field) => (
        <div key={field.id} className={styles.row}>
          <input
            dir="auto"
            aria-label={t("fieldName")}
            value={field.name}
            onChange={(event) => edit(field.id, { name: event.target.value })}
          />
          <input
            dir="auto"
            aria-label={t("fieldValue")}
            value={field.value}
            onChange={(event) => edit(field.id, { value: event.target.value })}
          />
          <Button
            look="icon"
            aria-label={t("removeField", { name: field.name })}
            onClick={() => onChange(fields.filter((each) => each.id !== field.id))}
          >
            <Icon name="close" size={16} />
          </Button>
        </div>
      ))}
      <Button look="quiet" onClick={() => onChange([...fields, emptyField()])}>
        <Icon name="plus" size={16} /> {t("addField")}
      </Button>
    </fieldset>
  );
}
