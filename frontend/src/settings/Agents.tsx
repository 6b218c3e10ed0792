import { useState } from "react";
import { useAgents, useChangeAgent, useResetPassword } from "@/api/agents";
import { useSession } from "@/api/session";
import type { Agent, NewAgent } from "@/api/types";
import { Section } from "@/shell/Sheet";
import { useText } from "@/text";
import { Button } from "@/ui/Button";
import { useOutcome } from "@/ui/useOutcome";
import { AddAgent } from "./AddAgent";
import { ListState } from "./ListState";
import { Secret } from "./Secret";
import styles from "./Settings.module.css";

/** The accounts of those who answer customers; for owners. */
export function Agents() {
  const { t } = useText();
  const agents = useAgents();
  const [shown, setShown] = useState<NewAgent | null>(null);
  return (
    <Section title={t("agents")} hint={t("agentsHint")}>
      <ListState list={agents} empty={t("noAgents")} />
      <ul className={styles.list}>
        {agents.data?.map((agent) => (
          <AgentRow key={agent.id} agent={agent} onPassword={setShown} />
        ))}
      </ul>
      <AddAgent onAdded={setShown} />
      {shown && (
        <Secret
          title={t("passwordOf", { name: shown.name })}
          hint={t("passwordOfHint", { login: shown.login })}
          secret={shown.password}
          onClose={() => setShown(null)}
        />
      )}
    </Section>
  );
}

interface RowProps {
  readonly agent: Agent;
  readonly onPassword: (agent: NewAgent) => void;
}

function AgentRow({ agent, onPassword }: RowProps) {
  const { t } = useText();
  return (
    <li className={styles.row} data-off={agent.disabled_at !== null}>
      <div className={styles.what}>
        <p className={styles.name} dir="auto">
          {agent.name}
        </p>
        <p className={styles.note}>
          {agent.login} · {t(`role_${agent.role}`)}
          {agent.disabled_at && ` · ${t("disabled")}`}
        </p>
      </div>
      <AgentButtons agent={agent} onPassword={onPassword} />
    </li>
  );
}

function AgentButtons({ agent, onPassword }: RowProps) {
  const { t } = useText();
  const tell = useOutcome();
  const change = useChangeAgent();
  const reset = useResetPassword();
  const session = useSession().data;
  const isOneself = session?.kind === "agent" && session.me.id === agent.id;
  // Whoever locks themselves out needs another owner to come back in.
  const forOthers = { disabled: isOneself, title: isOneself ? t("notOneself") : undefined };
  const isOwner = agent.role === "owner";
  const isOff = agent.disabled_at !== null;
  const save = (wanted: { role?: Agent["role"]; disabled?: boolean }) =>
    tell(change.mutateAsync({ id: agent.id, change: wanted }), () => t("saved"));
  const renew = () =>
    tell(reset.mutateAsync(agent.id), (changed) => {
      onPassword(changed);
      return t("saved");
    });
  const isBusy = change.isPending || reset.isPending;
  return (
    <fieldset className={styles.buttons} disabled={isBusy} aria-label={agent.name}>
      <Button {...forOthers} onClick={() => void save({ role: isOwner ? "agent" : "owner" })}>
        {t(isOwner ? "makeAgent" : "makeOwner")}
      </Button>
      <Button onClick={() => void renew()}>{t("resetPassword")}</Button>
      <Button
        {...forOthers}
        look={isOff ? "plain" : "danger"}
        onClick={() => void save({ disabled: !isOff })}
      >
        {t(isOff ? "enable" : "disable")}
      </Button>
    </fieldset>
  );
}
