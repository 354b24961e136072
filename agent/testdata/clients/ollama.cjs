// Asks with the ollama package; the same lines must come out whoever answers.
//
//     node ollama.cjs BASE-URL
"use strict";

const { Ollama } = require("ollama");

async function all(stream) {
  const out = [];
  for await (const part of stream) out.push(part);
  return out;
}

async function main(host) {
  const client = new Ollama({ host });
  const model = "tiny";
  const messages = [{ role: "user", content: "May I lend it?" }];

  const chunks = await all(await client.chat({ model, messages, stream: true }));
  console.log("stream", chunks.map((c) => c.message.content).join(""), chunks.at(-1).done_reason, chunks.at(-1).eval_count);
  console.log("whole", (await client.chat({ model, messages })).message.content);
  const parts = await all(await client.generate({ model, prompt: "It is", stream: true }));
  console.log("generated", parts.map((c) => c.response).join(""), parts.at(-1).prompt_eval_count);
  console.log("generate", (await client.generate({ model, prompt: "It is" })).response);
  console.log("embedding", JSON.stringify((await client.embed({ model, input: "red" })).embeddings));
  try {
    await client.chat({ model, messages: [{ role: "user", content: "too many" }] });
  } catch (e) {
    console.log("refused", e.status_code);
  }
}

main(process.argv[2]);
