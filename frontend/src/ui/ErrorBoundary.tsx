import { Component, type ReactNode } from "react";
import { useText } from "@/text";
import { Button } from "./Button";
import { Notice } from "./Notice";

interface Props {
  readonly children: ReactNode;
}

/** Shows a way on where a page fails; what was written is in the browser's storage. */
export class ErrorBoundary extends Component<Props, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    return this.state.hasFailed ? <BrokenPage /> : this.props.children;
  }
}

function BrokenPage() {
  const { t } = useText();
  return (
    <main>
      <Notice title={t("pageBroke")} hint={t("pageBrokeHint")}>
        <Button look="main" onClick={() => window.location.reload()}>
          {t("reload")}
        </Button>
        <a href="/">{t("toInbox")}</a>
      </Notice>
    </main>
  );
}
