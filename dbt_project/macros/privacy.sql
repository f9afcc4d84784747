{#-
    What a person wrote, with mail addresses and international telephone numbers covered, as in the web app (app/masks.py);
    RE2 looks at nothing behind a match, so a number is covered here also where it hangs on a word.
-#}
{% macro without_contacts(expression) -%}
    {%- set mails = replace_pattern(expression, "[A-Za-z0-9_.+-]+@[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)+", "•••@•••") -%}
    {{ replace_pattern(mails, "[+][0-9][0-9 ()/-]{7,}[0-9]", "•••") }}
{%- endmacro %}
