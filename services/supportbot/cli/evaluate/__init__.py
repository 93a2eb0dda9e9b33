"""`supportbot eval` and `supportbot label`: how good the judgement is, on conversations that people have labelled.

`data` finds the files, `eval_command` measures them, `view` and `story` show it. `label_command` makes a file of the
team's own chat: `propose` fills it with the bot's decisions, `ask` goes through it on the terminal.
"""
