import "@/styles/global.css";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import type { AppProps } from "next/app";
import Head from "next/head";
import { useState } from "react";
import { ApiError } from "@/api/client";
import { LiveProvider } from "@/live/LiveProvider";
import { OutboxProvider } from "@/outbox/OutboxProvider";
import { Gate } from "@/shell/Gate";
import { WordingProvider } from "@/text";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { Toaster } from "@/ui/Toaster";
import { useIsMounted } from "@/ui/useIsMounted";

const TRIES = 3;

function makeClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // What is shown is kept true by events, not by asking again.
        staleTime: Number.POSITIVE_INFINITY,
        gcTime: 10 * 60_000,
        refetchOnWindowFocus: false,
        retry: (count, error) =>
          count < TRIES && (!(error instanceof ApiError) || error.isTemporary),
      },
      mutations: { retry: false },
    },
  });
}

export default function App({ Component, pageProps, router }: AppProps) {
  const [client] = useState(makeClient);
  const isMounted = useIsMounted();
  return (
    <>
      <Head>
        <title>WhatsApp CRM</title>
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover" />
      </Head>
      {/* Language, session and drafts are the browser's: there is nothing to show before. */}
      {isMounted && (
        <QueryClientProvider client={client}>
          <WordingProvider>
            <LiveProvider>
              <OutboxProvider>
                <Toaster>
                  <Gate path={router.pathname}>
                    <ErrorBoundary key={router.pathname}>
                      <Component {...pageProps} />
                    </ErrorBoundary>
                  </Gate>
                </Toaster>
              </OutboxProvider>
            </LiveProvider>
          </WordingProvider>
        </QueryClientProvider>
      )}
    </>
  );
}
