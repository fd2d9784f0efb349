"""The words by which exports in other languages than English are read: what columns are called there, and what stands in
those that hold one of few words. Recognising by fieldname and by content goes before all of this."""

# field, or DocType and field where one field is called otherwise there, to what its column is called in German, French,
# Spanish, Portuguese, Italian, Dutch, Russian, Turkish, Arabic and Chinese, as far as ERPNext's own translations have a word
HEADERS: dict[str, str] = {
	"name": "Kennung|Identifiant|Identificador|N. di riferimento|هوية شخصية|编号",
	"creation": (
		"Erstellt am|Angelegt am|Créé le|Date de création|Creado el|Creado en|Fecha de creación|Criado em|Data de criação|Creato il"
		"|Creato su|Gemaakt op|Aangemaakt op|Создано на|Создано|Oluşturulma Zamanı|Oluşturulma|منشئه في|创建时间|创建于"
	),
	"modified": (
		"Zuletzt aktualisiert am|Zuletzt geändert am|Dernière mise à jour le|Dernière mise à jour|Última actualización"
		"|Última actualización el|Última atualização em|Ultimo aggiornamento il|Laatst bijgewerkt op|Laatst aangepast op"
		"|Последнее обновление|Son Güncelleme Zamanı|آخر تحديث يوم|最后更新时间|最后更新日期"
	),
	"owner": (
		"Erstellt von|Créé par|Établi par|Creado por|Criado por|Creato da|Gemaakt door|Aangemaakt door|Создал|Oluşturan"
		"|منشئه بواسطه|创建人"
	),
	"modified_by": (
		"Zuletzt aktualisiert von|Dernière mise à jour par|Última actualización por|Última atualização por|Ultimo aggiornamento di"
		"|Laatst bijgewerkt door|Son Güncelleyen|آخر تحديث بواسطة|最后更新人"
	),
	"status": "Statut|Estado|Situação|Stato|Stati|Статус|Durum|Durumu|الحالة|状态",
	"currency": "Währung|Devise|Moneda|Divisa / Moneda|Moeda|Valuta|Валюта|Para Birimi|العملة|货币",
	"docstatus": (
		"Dokumentenstatus|Statut du document|Estado del documento|Status do documento|Stato documento|Documentstatus"
		"|Статус документа|Belge Durumu|حالة المستند|文档状态|单据状态"
	),
	"lead_name": (
		"Vollständiger Name|Nom complet|Nombre completo|Nome completo|Nome e Cognome|Volledige naam|Полное имя|Tam Adı"
		"|الاسم الكامل|全名"
	),
	"company_name": (
		"Firmenname|Name der Organisation|Nom de l'organisation|Nombre de la organización|Nome da organização"
		"|Nome dell'organizzazione|Nome organizzazione|Organisatienaam|Naam van de organisatie|Название организации|İşletme Adı"
		"|Şirket Adı|اسم المنظمة|组织名称|机构名称"
	),
	"email_id": (
		"E-Mail|E-Mail-Adresse|Adresse e-mail|Courriel|Correo electrónico|E-mail|E-mailadres|Эл. адрес|Электронная почта|E-posta"
		"|البريد الإلكتروني|电子邮件|邮件|邮箱"
	),
	"phone": "Telefon|Téléphone|Teléfono|Telefone|Telefono|Telefoon|Телефон|هاتف|电话",
	"mobile_no": (
		"Mobilfunknummer|Mobil|N° mobile|Nº móvil|Telefone Celular|Cellulare|Num. Cellulare|Mobiel nummer|Мобильный номер"
		"|Номер мобильного телефона|Cep No|رقم الجوال|手机号码|手机"
	),
	"whatsapp_no": "ال WhatsApp|WhatsApp的",
	"source": (
		"Quelle|Lead-Quelle|Fuente|Origen|Referencia|Origem|Fonte|Origine|Bron|Источник|Kaynak|المصدر|源|来源|线索来源"
	),
	"utm_source": "Quelle|Bron|Источник|Kaynak|来源",
	"lead_owner": (
		"Lead-Besitzer|Eigentümer des Leads|Lead-Verantwortlicher|Verantwortlicher|Responsable du prospect"
		"|Propietario de la iniciativa|Propietario de Iniciativa|Proprietário do Lead|Proprietário do Cliente Potencial"
		"|Proprietario del lead|Responsabile Lead|Lead eigenaar|Leadeigenaar|Ответственный за лид|Aday Sahibi|Sorumlu Kişi"
		"|مالك الزبون المحتمل|线索负责人"
	),
	"contact_date": "Nächstes Kontaktdatum|Date du prochain contact",
	"company": "Unternehmen|Firma|Société|Compañía|Empresa|Azienda|Bedrijf|Организация|Şirket|شركة|公司",
	"opportunity_from": (
		"Chance von|Opportunité de|Oportunidad desde|Oportunidade de|Opportunità da|Opportuniteit van|Возможность из"
		"|Fırsat Nerden|Fırsatın Kaynağı|فرصة من|机会来源|商机来源"
	),
	"party_name": (
		"Partei|Tiers|Tercero|Parceiro|Parte|Partner|Partij|Партия|Cari Hesap|Cari|الطرف المعني|往来单位"
	),
	"opportunity_owner": (
		"Verantwortlicher der Chance|Chancen-Inhaber|Propriétaire d'opportunité|Propietario de oportunidad|Владелец возможности"
		"|Fırsat Sahibi|商机负责人"
	),
	"quotation_to": (
		"Angebot für|Devis pour|Presupuesto para|Orçamento para|Preventivo a|Offerte voor|Предложение для"
		"|Коммерческое предложение для|Teklif Kime|Teklif Edilen|مناقصة لـ|报价对象"
	),
	"opportunity": "Chance|Opportunité|Oportunidad|Oportunidade|Opportunità|Возможность|Fırsat|فرصة|机会|商机",
	"customer": "Kunde|Client|Cliente|Klant|Клиент|Müşteri|العميل|客户",
	"base_grand_total": (
		"Gesamtbetrag (Unternehmenswährung)|Total TTC (Devise de la Société)"
		"|Suma total (Divisa por defecto)|Total Geral (moeda da Empresa)|Somma totale (valuta Azienda)|Grand Total (Company Munt)"
		"|Общий итог (в валюте компании)|Genel Toplam (Şirket para birimi)|المجموع الكلي (العملات شركة)|总计（公司货币）"
	),
	"grand_total": (
		"Gesamtbetrag|Gesamtsumme|Total TTC|Suma total|Total Geral|Totale generale|Somma totale|Algemeen totaal"
		"|Общий итог|Genel Toplam|المجموع الإجمالي"
	),
	"prevdoc_docname": (
		"Angebot|Devis|Presupuesto|Cotización|Orçamento|Preventivo|Offerte|Предложение|Satış Teklifi|عرض أسعار|报价"
	),
	"Customer.lead_name": (
		"Von Lead|Aus Lead|Interessent|Du prospect|Du lead|Desde iniciativa|Iniciativa|Do lead|Da contatto|Van lead|Из лида|Лид"
		"|Bu Müşteri Adayından|من عميل محتمل|مبادرة البيع|来自潜在客户|线索"
	),
	"opportunity_name": (
		"Von Chance|Aus Chance|Chance|Depuis l'opportunité|Opportunité|Desde oportunidad|Oportunidad|Oportunidade|Возможность"
		"|Bu Fırsattan|Fırsat|فرصة|来自商机|商机"
	),
	"prospect_name": "Von Interessenten|Potenzieller Kunde|Depuis prospect|Desde prospecto|Проспект|Potansiyel Müşteriden|意向客户",
	"communication_date": "Datum|Fecha|Data|Дата|Tarih|تاريخ|日期",
	"communication_type": (
		"Kommunikationstyp|Kommunikationsart|Type de communication|Tipo de comunicación|Tipo de comunicação|Tipo di comunicazione"
		"|Communicatietype|Тип связи|İletişim Türü|نوع الإتصال|通讯类型"
	),
	"communication_medium": "Medium|Typ|Tipo|Тип|Türü|النوع|类型",
	"sent_or_received": (
		"Gesendet oder empfangen|Envoyés ou reçus|Enviado o recibido|Enviados ou recebidos|Inviato o ricevuto"
		"|Verzonden of ontvangen|Отправлено или получено|Gönderildi veya Alındı|المرسلة أو المتلقاة|发送或接收"
	),
	"sender": "Von|Absender|De|À partir de|Desde|Da|Van|От|itibaren|من|从|发件人",
	"recipients": "An|Zu|Empfänger|À|A|Para|Aan|Naar|К|Kime|إلى|至|收件人",
	"subject": "Betreff|Sujet|Asunto|Assunto|Oggetto|Soggetto|Onderwerp|Тема|Konu|موضوع|主题",
	"content": "Nachricht|Botschaft|Mensaje|Mensagem|Messaggio|Bericht|Сообщение|Mesaj|رسالة|信息",
	"reference_doctype": (
		"Referenz-Dokumenttyp|Referenz-Dokumententyp|Type du document de référence|Tipo de documento de referencia"
		"|Referência Tipo de Documento|Riferimento tipo di documento|Referentie Document Type|Ссылка Тип документа"
		"|Referans Belge Türü|مرجع نوع الوثيقة|参考文档类型|源单据类型"
	),
	"reference_name": (
		"Referenzname|Nom de référence|Nombre de referencia|Nome de referência|Nome di riferimento|Referentienaam|Имя ссылки"
		"|Referans Adı|اسم الإشارة|参考名称|源单据"
	),
	"delivery_status": (
		"Zustellstatus|Lieferstatus|Statut de la livraison|Estado del envío|Status da entrega|Stato consegna|Verzendstatus"
		"|Статус доставки|Teslimat Durumu|حالة التسليم|交货状态"
	),
	"email_status": (
		"E-Mail-Status|Statut de l'email|Estado de correo electrónico|Stato dell'e-mail|E-mailstatus|Статус электронной почты"
		"|E-posta Durumu|حالة البريد الإلكتروني|邮件状态"
	),
	"Call Log.type": "Typ|Tipo|Тип|Türü|النوع|类型",
	"start_time": (
		"Startzeit|Heure de début|Hora de inicio|Horário de início|Ora di inizio|Starttijd|Время начала|Başlangıç Zamanı|بداية الوقت|开始时间"
	),
	"end_time": (
		"Endzeit|Heure de fin|Hora de finalización|Horário de término|Ora fine|Eindtijd|Время окончания|Bitiş Zamanı|وقت الانتهاء|结束时间"
	),
	"event_category": (
		"Ereigniskategorie|Catégorie d'événement|Categoría de evento|Categoria do evento|Categoria di eventi|Evenementcategorie"
		"|Категория события|Etkinlik Kategorisi|فئة الحدث|事件分类"
	),
	"starts_on": "Startet am|Beginnt am|Commence le|Iniciar el|Inicia em|Inizia il|Begint op|Начало|Başlangıç|يبدأ يوم|开始于",
}

# ERPNext's word, in lower case, to what it is where values are exported in the user's language
WORDS: dict[str, str] = {
	"draft": "entwurf|brouillon|borrador|rascunho|bozza|concept|черновик|taslak|مشروع|草案|草稿",
	"cancelled": (
		"storniert|abgesagt|abgebrochen|annulé|cancelado|annullato|geannuleerd|отменен|отменён|i̇ptal edildi|iptal edildi|ألغيت|取消|已取消"
	),
	"lead": "interessent|iniciativa|lood|лид|müşteri adayı|مبادرة البيع|线索",
	"open": "offen|ouvert|abierto|abrir|aberto|aperto|открыт|açık|فتح|待处理",
	"replied": (
		"beantwortet|répondu|respondido|ha risposto|risposto|beantwoord|с ответом|yanıtlandı|رد|已回复|回答"
	),
	"interested": (
		"interessiert|intéressé|interesado|interessado|interessati|geïnteresseerd|заинтересованный|ilgilenildi|i̇lgilenildi|مهتم|有兴趣"
	),
	"opportunity": "chance|opportunité|oportunidad|oportunidade|opportunità|opportuniteit|возможность|fırsat|فرصة|机会|商机",
	"quotation": (
		"angebot|devis|presupuesto|cotización|orçamento|preventivo|offerte|предложение|satış teklifi|fiyat teklifi|عرض أسعار|报价"
	),
	"lost quotation": (
		"verlorene angebote|verlorenes angebot|angebot verloren|devis perdu|presupuesto perdido|cotação perdida|preventivo perso"
		"|verloren offerte|отказ от предложения|teklif kaybedildi|kaybedilen teklif|تسعيرة خسر|遗失的报价|未成交报价"
	),
	"converted": (
		"umgewandelt|konvertiert|converti|convertido|convertito|omgezet|geconverteerd|конвертировано|dönüştürüldü|dönüştürülmüş"
		"|تحويل|已转换|已转化"
	),
	"do not contact": (
		"nicht kontakt aufnehmen|nicht kontaktieren|ne pas contacter|no contactar|não entre em contato|non contattarci"
		"|non contattare|neem geen contact op|не обращайтесь|i̇letişime geçmeyin|iletişime geçmeyin|i̇letişime geçmeyin!"
		"|iletişime geçmeyin!|عدم الاتصال|请勿打扰"
	),
	"lost": "verloren|perdu|perdido|perso|поражений|kaybedildi|kayıp|مفقود|遗失|未成交",
	"received": (
		"empfangen|erhalten|reçu|recibido|recibida|recebido|recebida|ricevuto|ricevuta|ontvangen|получено|alındı|تلقيت|收到|已收货"
	),
}


# ERPNext's statuses of a lead
STATUSES = (
	"Lead",
	"Open",
	"Replied",
	"Opportunity",
	"Quotation",
	"Lost Quotation",
	"Interested",
	"Converted",
	"Do Not Contact",
)


def words(*english: str) -> tuple[str, ...]:
	"""All that may stand for one of these words, in lower case, the English first."""
	return tuple(word for one in english for word in (one, *WORDS[one].split("|")))
