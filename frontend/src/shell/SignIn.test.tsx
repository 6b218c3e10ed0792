import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { SignInForm } from "./SignIn";

const ME = { id: 1, name: "Mia", role: "agent", csrf_token: "token" };

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

/** The form before a server that gives these answers, one after the other. */
function show(...answers: Response[]) {
  const sent: unknown[] = [];
  vi.stubGlobal("fetch", async (_: string, { body }: { body: string }) => {
    sent.push(JSON.parse(body));
    return answers.shift() ?? Promise.reject(new TypeError("no network"));
  });
  const onDone = vi.fn();
  render(
    <QueryClientProvider client={new QueryClient()}>
      <SignInForm onDone={onDone} />
    </QueryClientProvider>,
  );
  return { sent, onDone };
}

async function fillIn() {
  await userEvent.type(screen.getByLabelText("Login"), " mia@shop.example ");
  await userEvent.type(screen.getByLabelText("Password"), " with spaces ");
  await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
}

const problem = () =>
  screen.findByText((_, element) => element?.matches("[role=alert] p") ?? false);

function refusal(status: number, headers: Record<string, string> = {}) {
  return Response.json({ detail: "In the server's words." }, { status, headers });
}

describe("the sign-in form", () => {
  it("sends the password to the letter, and the login without spaces around it", async () => {
    const { sent, onDone } = show(Response.json(ME));
    await fillIn();
    await vi.waitFor(() => expect(onDone).toHaveBeenCalledOnce());
    expect(sent).toEqual([{ login: "mia@shop.example", password: " with spaces " }]);
  });

  it("says when login or password is wrong, and takes another try", async () => {
    const { onDone } = show(refusal(401), Response.json(ME));
    await fillIn();
    expect((await problem()).textContent).toMatch(/wrong/);
    expect(onDone).not.toHaveBeenCalled();
    await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
    await vi.waitFor(() => expect(onDone).toHaveBeenCalledOnce());
  });

  it("says how long to wait after too many tries", async () => {
    show(refusal(429, { "Retry-After": "245" }));
    await fillIn();
    expect((await problem()).textContent).toBe("Too many tries. Try again in 4 minutes 5 seconds.");
  });

  it("says to wait also where the server does not say how long", async () => {
    show(refusal(429));
    await fillIn();
    expect((await problem()).textContent).toMatch(/Too many tries. Wait/);
  });

  it("says when the server is away", async () => {
    show();
    await fillIn();
    expect((await problem()).textContent).toMatch(/cannot be reached/);
  });

  it("shows the password and hides it again", async () => {
    show();
    const input = screen.getByLabelText("Password") as HTMLInputElement;
    const button = screen.getByRole("button", { name: "Show password" });
    expect(input.type).toBe("password");
    await userEvent.click(button);
    expect(input.type).toBe("text");
    expect(button.getAttribute("aria-pressed")).toBe("true");
    await userEvent.click(button);
    expect(input.type).toBe("password");
  });
});
