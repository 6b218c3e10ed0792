import { type FormEvent, useState } from "react";
import { useTemplates } from "@/api/queries";
import type { ApprovedTemplate } from "@/api/types";
import { useOutbox } from "@/outbox/OutboxProvider";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { Notice } from "@/ui/Notice";
import styles from "./TemplateDialog.module.css";
import { filledTemplate } from "./templates";

/** Chooses a template that WhatsApp approved, fills its places, and sends it. */
export function TemplateDialog({
  customerId,
  onClose,
}: {
  customerId: number;
  onClose: () => void;
}) {
  const { t } = useText();
  const templates = useTemplates();
  const [name, setName] = useState("");
  const known = templates.data ?? [];
  const chosen = known.find((each) => keyOf(each) === name) ?? known[0];
  return (
    <Dialog title={t("templates")} onClose={onClose}>
      {templates.isError && <Notice title={t("loadFailed")} hint={explain(templates.error, t)} />}
      {templates.isPending && <Notice title={t("loading")} />}
      {templates.data && !chosen && <Notice title={t("noTemplates")} />}
      {chosen && (
        <div className={styles.form}>
          <Field label={t("template")}>
            <select value={keyOf(chosen)} onChange={(event) => setName(event.target.value)}>
              {known.map((each) => (
                <option key={keyOf(each)} value={keyOf(each)}>
                  {each.name} ({each.language})
                </option>
              ))}
            </select>
          </Field>
          <TemplateForm
            key={keyOf(chosen)}
            template={chosen}
            customerId={customerId}
            onSent={onClose}
          />
        </div>
      )}
    </Dialog>
  );
}

function keyOf(template: ApprovedTemplate): string {
  return `${template.name} ${template.language}`;
}

interface FormProps {
  readonly template: ApprovedTemplate;
  readonly customerId: number;
  readonly onSent: () => void;
}

function TemplateForm({ template, customerId, onSent }: FormProps) {
  const { t } = useText();
  const outbox = useOutbox();
  const [params, setParams] = useState<readonly string[]>(() => Array(template.params).fill(""));
  const content = filledTemplate(template.body, params);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { name, language } = template;
    outbox?.send({
      customerId,
      content,
      template: { name, language, params: [...params] },
      lastSeenId: null,
    });
    onSent();
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      {params.map((value, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: places are known by their number
        <Field key={place} label={t("templatePlace", { number: place + 1 })}>
          <input
            dir="auto"
            required
            maxLength={1024}
            value={value}
            onChange={(event) => setParams(params.with(place, event.target.value))}
          />
        </Field>
      ))}
      <p className={styles.preview} dir="auto">
        {content}
      </p>
      <Button look="main" type="submit" disabled={!outbox}>
        {t("useTemplate")}
      </Button>
    </form>
  );
}
