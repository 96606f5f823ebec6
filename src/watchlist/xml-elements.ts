/**
 * XML as a stream of elements by local name, with caps on everything a hostile file could grow. A DTD is refused where it
 * begins, so no entity is ever declared, let alone expanded.
 */
import { SaxesParser } from "saxes";
import type { LineProblem } from "../types/watchlist-format.ts";
import { escapeInvisible, showFound } from "./problems.ts";

const DEPTH_MAX = 64;
const ATTRIBUTES_MAX = 64;
const ATTRIBUTE_LENGTH_MAX = 4096;
/** Of one element. Longer ones are free text that holds no address we could trust. */
const TEXT_LENGTH_MAX = 64 * 1024;
/** Signs without any event: one endless name, comment or text, which the parser would keep whole. */
const SILENT_LENGTH_MAX = 1024 * 1024;

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string;
  readonly line: number;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface XmlHandlers {
  readonly onOpen: (element: XmlElement) => void;
  /** `text`: what stands directly inside, trimmed. */
  readonly onClose: (element: XmlElement, text: string) => void;
  /** At most once; nothing is read after it. */
  readonly onFail: (problem: LineProblem) => void;
}

export interface XmlReader {
  write(text: string): void;
  end(): void;
}

interface OpenElement extends XmlElement {
  text: string;
}

export function createXmlReader({ onOpen, onClose, onFail }: XmlHandlers): XmlReader {
  const parser = new SaxesParser<{ xmlns: false; position: true }>({ xmlns: false, position: true });
  const stack: OpenElement[] = [];
  let isOver = false;
  let silent = 0;
  let attributeCount = 0;

  function fail(found: string, allowed: string): void {
    if (isOver) return;
    isOver = true;
    onFail({ line: parser.line, field: "", found, allowed });
  }
  function addText(text: string): void {
    silent = 0;
    const element = stack.at(-1);
    if (isOver || element === undefined) return;
    element.text += text;
    if (element.text.length > TEXT_LENGTH_MAX)
      fail(`an element ${showFound(element.name)} with more text`, `at most ${TEXT_LENGTH_MAX} characters`);
  }
  parser.on("doctype", () => fail("a document type (DTD)", "XML without one"));
  parser.on("error", (error) => fail(escapeInvisible(error.message.slice(0, 200)), "well-formed XML"));
  parser.on("xmldecl", ({ encoding }) => {
    if (encoding !== undefined && !/^utf-?8$/i.test(encoding)) fail(`the encoding ${showFound(encoding)}`, "UTF-8");
  });
  parser.on("comment", () => void (silent = 0));
  parser.on("processinginstruction", () => void (silent = 0));
  parser.on("text", addText);
  parser.on("cdata", addText);
  parser.on("attribute", ({ value }) => {
    silent = 0;
    attributeCount += 1;
    // Counted as they come: a tag without an end would collect them for ever.
    if (attributeCount > ATTRIBUTES_MAX) fail("an element with more attributes", `at most ${ATTRIBUTES_MAX}`);
    if (value.length > ATTRIBUTE_LENGTH_MAX)
      fail("a longer attribute", `attributes of at most ${ATTRIBUTE_LENGTH_MAX} characters`);
  });
  parser.on("opentag", ({ name, attributes }) => {
    silent = 0;
    attributeCount = 0;
    if (isOver) return;
    if (stack.length >= DEPTH_MAX) return fail("a nesting too deep to read", `at most ${DEPTH_MAX} levels`);
    const element = { name: localName(name), line: parser.line, attributes, text: "" };
    stack.push(element);
    onOpen(element);
  });
  parser.on("closetag", () => {
    silent = 0;
    const element = stack.pop();
    if (!isOver && element !== undefined) onClose(element, element.text.trim());
  });

  return {
    write(text) {
      if (isOver || text === "") return;
      parser.write(text);
      silent += text.length;
      if (silent > SILENT_LENGTH_MAX)
        fail("a text or tag without an end", `an end within ${SILENT_LENGTH_MAX} characters`);
    },
    end() {
      if (!isOver) parser.close();
    },
  };
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

/** The local name of the first element of an XML text; null: it does not look like XML. */
export function rootElement(start: string): string | null {
  let at = start.startsWith("\ufeff") ? 1 : 0;
  for (;;) {
    while (/\s/.test(start[at] ?? "")) at += 1;
    const skip = [
      ["<?", "?>"],
      ["<!--", "-->"],
      // Only to know what the file wants to be: the reader refuses it.
      ["<!DOCTYPE", ">"],
    ].find(([open]) => start.startsWith(open ?? "", at));
    if (skip === undefined) break;
    const close = start.indexOf(skip[1] ?? "", at);
    if (close === -1) return null;
    at = close + (skip[1]?.length ?? 0);
  }
  const name = /^<([\w.:-]{1,100})/.exec(start.slice(at, at + 102))?.[1];
  return name === undefined ? null : localName(name);
}
