"""What people write into the description of a job, in the language of their locale."""

from collections.abc import Mapping

USUAL_LOCALE = "en_US"


def sayings_of(locale: str) -> tuple[str, ...]:
    """Whoever's language is not here writes English."""
    return SAYINGS_OF_LOCALE.get(locale, SAYINGS_OF_LOCALE[USUAL_LOCALE])


SAYINGS_OF_LOCALE: Mapping[str, tuple[str, ...]] = {
    "en_US": ("baseline for the paper", "second try, smaller learning rate", "nightly run - do not stop"),
    "ar_AA": ("تجربة ثانية بمعدل تعلم أصغر", "تشغيل ليلي"),
    "cs_CZ": ("druhý pokus, menší krok učení", "noční běh – prosím nezastavovat"),
    "de_DE": ("zweiter Versuch, kleinere Lernrate", "nächtlicher Lauf, bitte nicht stoppen"),
    "es_ES": ("segundo intento, menor tasa de aprendizaje", "ejecución nocturna: ¡no detener!"),
    "fr_FR": ("deuxième essai, taux d’apprentissage réduit", "exécution de nuit, ne pas arrêter"),
    "hi_IN": ("दूसरा प्रयास, छोटी सीखने की दर",),
    "ja_JP": ("二回目、学習率を下げる", "夜間バッチ、停止しないでください"),
    "ko_KR": ("두 번째 시도, 학습률 감소",),
    "pl_PL": ("druga próba, mniejszy współczynnik uczenia", "nocne zadanie – proszę nie zatrzymywać"),
    "ru_RU": ("вторая попытка, меньший шаг обучения", "ночной запуск, не останавливать"),
    "sv_SE": ("andra försöket, lägre inlärningstakt", "nattkörning"),
    "zh_CN": ("第二次尝试，学习率更小", "夜间任务，请勿停止"),
}
