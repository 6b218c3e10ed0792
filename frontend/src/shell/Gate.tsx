import { useRouter } from "next/router";
import { type ReactNode, useEffect, useRef } from "react";
import { useSession, useSessionWatch } from "@/api/session";
import { SignInDialog } from "@/shell/SignIn";
import { useText } from "@/text";
import { explain } from "@/text/explain";
import { Button } from "@/ui/Button";
import { Notice } from "@/ui/Notice";

const OPEN_PATHS = ["/login", "/404"];

/**
 * Lets in whoever may use the page. A session that ends while the page is open is asked for over
 * it, so that nothing of what is on the screen is lost.
 */
export function Gate({ path, children }: { path: string; children: ReactNode }) {
  const { t } = useText();
  const router = useRouter();
  const session = useSession();
  useSessionWatch();
  const wasIn = useRef(false);
  const isStranger = session.data?.kind === "stranger";
  if (session.data && !isStranger) wasIn.current = true;
  const mustSignIn = isStranger && !wasIn.current && !OPEN_PATHS.includes(path);
  useEffect(() => {
    if (mustSignIn) void router.replace({ pathname: "/login", query: { next: router.asPath } });
  }, [mustSignIn, router]);
  if (OPEN_PATHS.includes(path)) return children;
  if (session.isError && !wasIn.current) {
    return (
      <Notice title={t("loadFailed")} hint={explain(session.error, t)}>
        <Button look="main" onClick={() => void session.refetch()}>
          {t("tryAgain")}
        </Button>
      </Notice>
    );
  }
  if (mustSignIn) return null;
  // While the session is looked up the page fetches its lists already: it is the usual case.
  return (
    <>
      {children}
      {isStranger && <SignInDialog />}
    </>
  );
}
