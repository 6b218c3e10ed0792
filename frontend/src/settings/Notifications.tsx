import { useState } from "react";
import { badge, notify, useBadge, useNotify } from "@/state/settings";
import { useText } from "@/text";
import { Toggle } from "@/ui/Toggle";

/** What the browser says of notifications; null where it has none, as without TLS. */
function permission(): NotificationPermission | null {
  return typeof Notification === "undefined" ? null : Notification.permission;
}

/** How one hears of messages while looking elsewhere. */
export function Notifications() {
  const { t } = useText();
  const [allowed, setAllowed] = useState(permission);
  const isWanted = useNotify();
  const isBlocked = allowed === null || allowed === "denied";
  const choose = async (isOn: boolean) => {
    if (!isOn) return notify.set(false);
    const answer = allowed === null ? null : await Notification.requestPermission();
    setAllowed(answer);
    notify.set(answer === "granted");
  };
  return (
    <>
      <Toggle
        label={t("notifications")}
        hint={isBlocked ? t("notificationsBlocked") : undefined}
        isOn={isWanted && allowed === "granted"}
        onChange={(isOn) => void choose(isOn)}
      />
      <Toggle label={t("titleBadge")} isOn={useBadge()} onChange={badge.set} />
    </>
  );
}
