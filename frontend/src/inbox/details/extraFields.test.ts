import { expect, it } from "vitest";
import { emptyField, fieldsOf, objectOf } from "./extraFields";

it("keeps what is no text as it was, unless it is edited", () => {
  const fields = fieldsOf({ size: "L", age: 40, tags: ["a"] });
  expect(objectOf(fields)).toEqual({ size: "L", age: 40, tags: ["a"] });
  expect(objectOf(fields.map((field) => ({ ...field, value: `${field.value}!` })))).toEqual({
    size: "L!",
    age: "40!",
    tags: '["a"]!',
  });
});

it("leaves out a field without a name", () => {
  expect(objectOf([...fieldsOf({ a: "1" }), emptyField()])).toEqual({ a: "1" });
});
