import { Inbox } from "@/inbox/Inbox";
import { Frame } from "@/shell/Frame";
import { useText } from "@/text";

/** The inbox. */
export default function InboxPage() {
  const { t } = useText();
  return (
    <Frame title={t("inbox")}>
      <Inbox />
    </Frame>
  );
}
