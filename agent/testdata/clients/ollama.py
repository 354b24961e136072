"""Asks with the ollama package; the same lines must come out whoever answers.

    ollama.py BASE-URL
"""

import sys

# This file's own name must not stand before the package's.
sys.path.pop(0)

import ollama  # noqa: E402

client = ollama.Client(host=sys.argv[1])
ask = [{"role": "user", "content": "May I lend it?"}]

chunks = list(client.chat(model="tiny", messages=ask, stream=True))
print("stream", "".join(c.message.content for c in chunks), chunks[-1].done_reason, chunks[-1].eval_count)
print("whole", client.chat(model="tiny", messages=ask).message.content)
parts = list(client.generate(model="tiny", prompt="It is", stream=True))
print("generated", "".join(c.response for c in parts), parts[-1].prompt_eval_count)
print("generate", client.generate(model="tiny", prompt="It is").response)
print("embedding", [list(e) for e in client.embed(model="tiny", input="red").embeddings])
try:
    client.chat(model="tiny", messages=[{"role": "user", "content": "too many"}])
except ollama.ResponseError as e:
    print("refused", e.status_code)
