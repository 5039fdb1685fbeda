// Print as JSON what the official AsyncAPI parser finds in a document: its messages, and the names of its channels.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(await readFile(process.argv[2], "utf8"));
const channels = document?.channels().all().map((channel) => channel.address()) ?? [];
console.log(JSON.stringify({ channels, diagnostics }));
