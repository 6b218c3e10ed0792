import { useSession } from "@/api/session";
import { Account } from "@/settings/Account";
import { Agents } from "@/settings/Agents";
import { CustomerFiles } from "@/settings/CustomerFiles";
import { Notifications } from "@/settings/Notifications";
import { Tokens } from "@/settings/Tokens";
import { LanguageChoice, ThemeChoice } from "@/shell/Appearance";
import { Frame } from "@/shell/Frame";
import { Section, Sheet } from "@/shell/Sheet";
import { useText } from "@/text";

/** What one may choose for oneself, and what an owner may for all. */
export default function Settings() {
  const { t } = useText();
  const session = useSession().data;
  // Where nobody signs in, anyone may do what an owner may.
  const isOwner =
    session?.kind === "anyone" || (session?.kind === "agent" && session.me.role === "owner");
  return (
    <Frame title={t("settings")}>
      <Sheet title={t("settings")}>
        <Section title={t("thisBrowser")}>
          <ThemeChoice />
          <LanguageChoice />
          <Notifications />
        </Section>
        {session && <Account session={session} />}
        <CustomerFiles />
        {isOwner && <Agents />}
        {isOwner && <Tokens />}
      </Sheet>
    </Frame>
  );
}
