import { Connection } from "@/pairing/Connection";
import { Frame } from "@/shell/Frame";
import { Sheet } from "@/shell/Sheet";
import { useText } from "@/text";

/** Where a phone is linked. */
export default function Pairing() {
  const { t } = useText();
  return (
    <Frame title={t("pairing")}>
      <Sheet title={t("pairing")}>
        <Connection />
      </Sheet>
    </Frame>
  );
}
