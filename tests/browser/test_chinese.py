"""The page in Chinese: as the browser asks for it, or as chosen."""

from playwright.sync_api import expect

from tests.browser.conftest import OpenInbox
from tests.browser.inbox import Inbox
from tests.browser.shop import Shop


def open_chinese(open_inbox: OpenInbox) -> Inbox:
    """The inbox of a browser that asks for Chinese; its other names are English ones."""
    return open_inbox(live="实时更新中", locale="zh-CN")


def test_a_chinese_browser_gets_a_chinese_page_and_a_chinese_answer_is_sent(
    shop: Shop, open_inbox: OpenInbox
) -> None:
    wang = shop.customer("王小明")
    shop.write(wang, "蓝色的还有货吗？")
    inbox = open_chinese(open_inbox)
    page = inbox.page
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("heading", name="收件箱")).to_be_visible()
    page.get_by_role("region", name="客户").get_by_role("button", name="王小明").click()
    composer = page.get_by_role("textbox", name="消息", exact=True)
    composer.fill("有，还剩两件。")
    composer.press("Enter")
    inbox.expect_state("有，还剩两件。", "已读")
    inbox.shoot("chinese")
    assert shop.received(wang) == ["有，还剩两件。"]


def test_enter_that_ends_a_word_of_an_input_method_does_not_send(shop: Shop, inbox: Inbox) -> None:
    chen = shop.customer("陈美玲")
    shop.write(chen, "在吗")
    inbox.open_chat("陈美玲")
    typing = inbox.page.context.new_cdp_session(inbox.page)
    inbox.composer.focus()
    typing.send(
        "Input.imeSetComposition", {"text": "ni hao", "selectionStart": 6, "selectionEnd": 6}
    )
    composing = {"key": "Enter", "bubbles": True, "isComposing": True}
    inbox.composer.dispatch_event("keydown", composing)
    typing.send("Input.insertText", {"text": "你好"})
    expect(inbox.composer).to_have_value("你好")
    assert shop.texts(chen) == ["在吗"]
    inbox.composer.press("Enter")
    inbox.expect_state("你好", "Read")
    assert shop.texts(chen) == ["在吗", "你好"]


def test_the_language_that_was_chosen_outlives_a_reload(open_inbox: OpenInbox) -> None:
    """That page has no list of its own, and is live all the same."""
    inbox = open_inbox("/app/settings/")
    page = inbox.page
    page.get_by_role("radio", name="中文").check(force=True)
    expect(page.get_by_role("heading", name="设置").first).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="设置").first).to_be_visible()
    page.get_by_role("radio", name="English").check(force=True)
    expect(page.get_by_role("heading", name="Settings").first).to_be_visible()
